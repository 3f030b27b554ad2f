import * as tf from '@tensorflow/tfjs-core';

/**
 * Remembers which weights exist; the function that it returns frees all that have been made since.
 *
 * For constructors that may throw half-way: parts of parts, and those of a mixer from elsewhere, cannot be reached then.
 * Nothing else runs between the two calls, since constructors are synchronous.
 */
export function markWeights(): () => void {
  const weights = () => Object.values(tf.engine().registeredVariables);
  const before = new Set(weights());
  return () => {
    for (const weight of weights()) if (!before.has(weight)) weight.dispose();
  };
}
