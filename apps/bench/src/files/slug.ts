import type { DeviceLine, RunHeader } from '../core/run.ts';

/** Backends whose device is not the processor. */
const GPU_BACKENDS = ['webgpu', 'webgl'];

/**
 * Name of a run's files: processor and cores; the backends, GPUs with their adapter; `quick` if it was; the suites, unless it
 * was a run of everything, or `some` for some of their comparisons.
 *
 * `amd-epyc-9554-2-cores_wasm_webgpu-nvidia-h200`
 */
export function runSlug({ machine, scale, options }: RunHeader, devices: readonly DeviceLine[]): string {
  const processor = slug(machine.processor.replace(/\((r|tm)\)|processor|cpu|\d+-core|@.*$/gi, ' '));
  const backends = devices.map(({ backend, description }) =>
    GPU_BACKENDS.includes(backend) ? `${backend}-${slug(description)}` : backend,
  );
  const parts = [`${processor}-${machine.cores}-cores`, ...backends, ...(scale === 'quick' ? ['quick'] : [])];
  return [...parts, ...partOf(options)].join('_');
}

/** A part of everything shall not replace the file of everything. */
function partOf({ whole, suites, only }: RunHeader['options']): string[] {
  if (whole !== false) return [];
  return [only === undefined ? slug(String(suites)) : 'some'];
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
