import * as tf from '@tensorflow/tfjs-core';
import { activations } from './activations.ts';
import { arithmetic, elementwise } from './arithmetic.ts';
import { constants } from './constants.ts';
import type { Entry } from './entry.ts';
import { products } from './products.ts';
import { reductions } from './reductions.ts';
import { shape } from './shape.ts';

/**
 * Gradients of tfjs' kernels. `@tensorflow/tfjs-core` registers none by itself, its own gradient modules cannot be
 * imported by plain Node, and several of them are wrong or missing (REPAIRS.md).
 *
 * Every operation in here works on cpu, wasm and webgpu.
 */
export const gradientTable: readonly Entry[] = [
  ...arithmetic,
  ...elementwise,
  ...activations,
  ...reductions,
  ...shape,
  ...products,
  ...constants,
];

/**
 * Registers the gradients that nobody registered yet. Who brings gradients along, as `@tensorflow/tfjs` does, keeps
 * theirs.
 */
export function registerMissingGradients(): void {
  for (const entry of gradientTable) {
    if (tf.getGradient(entry.kernelName) == null) tf.registerGradient(entry);
  }
}
