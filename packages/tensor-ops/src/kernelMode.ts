import * as tf from '@tensorflow/tfjs-core';
import { BackendError } from './backendError.ts';
import { ConfigError } from './errors.ts';

/** Who computes the operations that exist twice, as a fused kernel and as a composition of tfjs' operations. */
export type KernelMode = 'auto' | 'explicit' | 'fused';

const modes: readonly KernelMode[] = ['auto', 'explicit', 'fused'];
let current: KernelMode = 'auto';

/**
 * Selects the path of every operation of Saccade that has a fused kernel; both compute the same, up to rounding.
 *
 * | mode | path |
 * |---|---|
 * | `auto` (default) | fused where the backend in use has the kernel and the kernel takes these sizes, else explicit |
 * | `explicit` | always the composition of tfjs' operations: the reference, on every backend |
 * | `fused` | always the kernel; an error where there is none, for measurements that must not fall back unseen |
 *
 * Kernels for webgpu are registered by `import '@saccade/tensor-ops/webgpu'` and by `setupBackend('webgpu')`. A gradient
 * is taken on the path on which its value was computed.
 *
 * @throws {ConfigError} for another mode.
 */
export function setKernelMode(mode: KernelMode): void {
  if (!modes.includes(mode)) throw new ConfigError('mode', `one of ${modes.join(', ')}`, mode);
  current = mode;
}

/** The mode in force: see {@link setKernelMode}. */
export function kernelMode(): KernelMode {
  return current;
}

/**
 * Whether this call is for the fused kernel `name` of the backend in use.
 *
 * @param refusal why the kernel cannot take this call ("head sizes up to 128, got 160"); `undefined` if it can
 * @throws {BackendError} in mode `fused`, if the backend has no such kernel; {@link ConfigError} if the kernel refuses
 */
export function usesKernel(name: string, refusal?: string): boolean {
  if (current === 'explicit') return false;
  const backend = tf.getBackend();
  const registered = tf.getKernel(name, backend) !== undefined;
  if (registered && refusal === undefined) return true;
  if (current === 'auto') return false;
  if (registered) throw new ConfigError('mode', `auto or explicit here (${name} takes ${refusal})`, current);
  throw new BackendError(
    backend,
    `no kernel ${name}: import '@saccade/tensor-ops/webgpu' and use that backend, or setKernelMode('auto')`,
  );
}

/**
 * Whether this call is for the kernel `name`, of those that exist for speed alone on one backend: in mode `fused`, too, a
 * backend without it takes the composition.
 */
export function prefersKernel(name: string): boolean {
  return current !== 'explicit' && tf.getKernel(name, tf.getBackend()) !== undefined;
}
