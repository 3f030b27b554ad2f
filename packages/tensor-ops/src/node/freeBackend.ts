import * as tf from '@tensorflow/tfjs-core';

/** Frees a backend with all its tensors, but leaves it registered, so that it can be started again. */
export function freeBackend(name: string): void {
  const factory = tf.findBackendFactory(name);
  if (factory === null) return;
  tf.removeBackend(name);
  tf.registerBackend(name, factory);
}
