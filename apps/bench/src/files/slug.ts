import type { DeviceLine, RunHeader } from '../core/run.ts';

/** Backends whose device is not the processor. */
const GPU_BACKENDS = ['webgpu', 'webgl'];

/**
 * Name of a run's files: processor and cores, then the backends, GPUs with their adapter, and `quick` if it was.
 *
 * `amd-epyc-9554-2-cores_wasm_webgpu-nvidia-h200`
 */
export function runSlug({ machine, scale }: RunHeader, devices: readonly DeviceLine[]): string {
  const processor = slug(machine.processor.replace(/\((r|tm)\)|processor|cpu|\d+-core|@.*$/gi, ' '));
  const backends = devices.map(({ backend, description }) =>
    GPU_BACKENDS.includes(backend) ? `${backend}-${slug(description)}` : backend,
  );
  return [`${processor}-${machine.cores}-cores`, ...backends, ...(scale === 'quick' ? ['quick'] : [])].join('_');
}

/** Letters and digits with dashes between them, for any file system. */
function slug(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 48)
      .replace(/^-+|-+$/g, '') || 'unknown'
  );
}
