// What the tests of this package run inside the browser.

export function add(a: number, b: number): number {
  return a + b;
}

export function typedArrays(values: Float32Array): Float32Array {
  return values.map((value) => 2 * value);
}

export function fail(): never {
  console.error('on the way to the failure');
  throw new RangeError('as asked');
}

export function environment() {
  return {
    secure: isSecureContext,
    isolated: crossOriginIsolated,
    origin: location.origin,
    webgpu: 'gpu' in navigator,
  };
}

export async function store(text: string): Promise<void> {
  const root = await navigator.storage.getDirectory();
  const file = await (await root.getFileHandle('kept', { create: true })).createWritable();
  await file.write(text);
  await file.close();
}

export async function stored(): Promise<string> {
  const root = await navigator.storage.getDirectory();
  return await (await (await root.getFileHandle('kept')).getFile()).text();
}

export async function served(path: string): Promise<string> {
  return await (await fetch(path)).text();
}

/** GPUBufferUsage and GPUMapMode, which the types of the DOM leave out. */
const usage = { MAP_READ: 1, COPY_SRC: 4, COPY_DST: 8, STORAGE: 128 };
const MAP_MODE_READ = 1;

/** Doubles numbers on the GPU. */
export async function doubleOnGpu(values: number[]): Promise<number[]> {
  const adapter = await navigator.gpu.requestAdapter();
  if (adapter === null) throw new Error('no adapter');
  const device = await adapter.requestDevice();
  const module = device.createShaderModule({
    code: `@group(0) @binding(0) var<storage, read_write> data: array<f32>;
      @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) { data[id.x] *= 2.0; }`,
  });
  const pipeline = device.createComputePipeline({ layout: 'auto', compute: { module } });
  const size = 4 * values.length;
  const data = device.createBuffer({ size, usage: usage.STORAGE | usage.COPY_SRC | usage.COPY_DST });
  const readable = device.createBuffer({ size, usage: usage.MAP_READ | usage.COPY_DST });
  device.queue.writeBuffer(data, 0, Float32Array.from(values));
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  const entries = [{ binding: 0, resource: { buffer: data } }];
  pass.setBindGroup(0, device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
  pass.dispatchWorkgroups(values.length);
  pass.end();
  encoder.copyBufferToBuffer(data, 0, readable, 0, size);
  device.queue.submit([encoder.finish()]);
  await readable.mapAsync(MAP_MODE_READ);
  const result = [...new Float32Array(readable.getMappedRange())];
  device.destroy();
  return result;
}
