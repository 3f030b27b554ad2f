import type * as tf from '@tensorflow/tfjs-core';
import { withGradient } from './withGradient.ts';

/**
 * The result of `compute`, off the gradient tape: a constant to every gradient, and nothing that was computed on the way
 * is kept for one. For decisions (routing, masks) and statistics that depend on trained values but do not train them.
 */
export function detached<T extends tf.Tensor>(compute: () => T): T {
  return withGradient(
    [],
    () => ({ value: compute(), saved: [] }),
    () => [],
  );
}
