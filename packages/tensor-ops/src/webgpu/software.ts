/** Whether an adapter computes on the processor: right results, but no statement about the speed of a GPU. */
export function isSoftwareAdapter(info: GPUAdapterInfo): boolean {
  return (
    info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|software/i.test(`${info.architecture} ${info.description}`)
  );
}
