import type { Grid } from '@saccade/nn';
import { product, Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { StructSelfAttention } from '../StructSelfAttention.ts';
import { type StructFilter, structAttention } from '../structAttention.ts';
import { normal } from './problem.ts';

/** Stage 3 of StructViT-S-4-1: on pictures of 224 pixels, and on clips of 16 frames of them. */
export const STAGE = { channels: 320, heads: 5, detectors: 4 } as const;
export const GRIDS: readonly Grid[] = [
  [14, 14],
  [8, 14, 14],
];

/** StructSA of one sample at the sizes of {@link STAGE}, on random numbers. */
export interface Workload {
  readonly name: string;
  /** the operator between the projections: `structAttention` */
  forward(): tf.Tensor;
  /** the layer with its projections: forward, gradients of the input's weights, one step of gradient descent; the loss */
  trainingStep(): tf.Tensor;
  dispose(): void;
}

export function workload(grid: Grid): Workload {
  const { channels, heads, detectors } = STAGE;
  const rng = new Rng(3);
  const kernel = grid.map(() => 3);
  const tokens = () => tf.tensor3d(normal(rng, product(grid) * channels), [1, product(grid), channels]);
  const filter = () => {
    const values = normal(rng, product(kernel) * channels * detectors, product(kernel) ** -0.5);
    return tf.tensor(values, [...kernel, channels, detectors] as StructFilter['shape']) as StructFilter;
  };
  const [q, k, v, convK, convV] = [tokens(), tokens(), tokens(), filter(), filter()];
  const layer = new StructSelfAttention({ dim: channels, heads, detectors, gridRank: grid.length as 2 | 3 });
  const variables = [...layer.namedParameters().values()].map(({ variable }) => variable);
  return {
    name: grid.join('x'),
    forward: () => structAttention(q, k, v, convK, convV, { grid, heads }),
    trainingStep: () =>
      tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => tf.mean(tf.square(layer.forward(q, grid))), variables);
        for (const variable of variables) {
          variable.assign(tf.sub(variable, tf.mul(grads[variable.name] as tf.Tensor, 1e-3)));
        }
        return value;
      }),
    dispose() {
      tf.dispose([q, k, v, convK, convV]);
      layer.dispose();
    },
  };
}
