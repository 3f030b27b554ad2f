import { webgpuDevice } from '@saccade/tensor-ops/webgpu';
import type { Absent, BenchBackend } from '../../core/comparison.ts';

/** The most bytes of maps that a contender may ask a processor, wasm's heap or textures for. */
const MOST_BYTES = 1.5 * 2 ** 30;

/** Maps of queries by keys that somebody needs. */
export interface Maps {
  /** bytes of one */
  readonly bytes: number;
  /** how many exist at once */
  readonly count: number;
}

/** What of a device limits tensors: the bytes of one, and of all that must exist at once. */
interface MemoryLimits {
  readonly tensor: number;
  readonly total: number;
}

/** The limits of the backend in use. On webgpu the largest binding; a GPU that has less memory than maps need says so. */
export function memoryLimits(backend: BenchBackend): MemoryLimits {
  if (backend !== 'webgpu') return { tensor: MOST_BYTES, total: MOST_BYTES };
  const { maxStorageBufferBindingSize, maxBufferSize } = webgpuDevice().limits;
  return { tensor: Math.min(maxStorageBufferBindingSize, maxBufferSize), total: Number.POSITIVE_INFINITY };
}

/** Why maps are too large; nothing if they are not. Nothing is allocated. */
export function tooLarge({ bytes, count }: Maps, limits: MemoryLimits): Pick<Absent, 'reason' | 'status'> | undefined {
  const gibibytes = (n: number) => `${(n / 2 ** 30).toPrecision(3)} GiB`;
  if (bytes > limits.tensor) {
    const reason = `a map of queries by keys has ${gibibytes(bytes)}, of ${gibibytes(limits.tensor)} for one tensor`;
    return { status: 'skipped', reason };
  }
  if (bytes * count > limits.total) {
    const needs = `${count} maps of queries by keys need ${gibibytes(bytes * count)}`;
    return { status: 'skipped', reason: `${needs}, of ${gibibytes(limits.total)} that are given` };
  }
  return undefined;
}
