import { type DgAttentionOptions, DgSelfAttention } from '@saccade/dg-attention';
import { Linear, Module } from '@saccade/nn';
import { Rng } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { AdamW } from './AdamW.ts';
import type { BatchSource } from './data.ts';
import type { TrainingState } from './state.ts';
import { type TrainingProgress, train } from './train.ts';

/** A layer with centroids, which move after each step and not by gradients: training has to carry them along. */
class Net extends Module {
  readonly attention: DgSelfAttention;
  readonly head: Linear;

  constructor(options: DgAttentionOptions) {
    super();
    const rng = new Rng(2);
    const sizes = { dim: 4, heads: 2, groups: 3, topK: 3, tauFactor: 5 };
    this.attention = this.child('attention', new DgSelfAttention({ ...sizes, ...options, rng }));
    this.head = this.child('head', new Linear(4, 2, { rng, init: (shape) => normals(rng, shape[0] as number, 2) }));
  }

  forward(x: tf.Tensor3D): tf.Tensor2D {
    return tf.tidy(() => this.head.forward(tf.mean(tf.add(x, this.attention.forward(x, [3, 3])), 1) as tf.Tensor2D));
  }
}

const normals = (rng: Rng, rows: number, columns: number) =>
  Float32Array.from({ length: rows * columns }, () => rng.normal());

/** Nine tokens each; in class 1 three of them are much alike. */
const data: BatchSource<tf.Tensor3D, Int32Array> = {
  length: 24,
  batch(indices) {
    const samples = indices.map((i) => {
      const x = normals(new Rng(i), 9, 4);
      if (i % 2 === 1) for (let c = 0; c < 4; c++) for (const token of [4, 7]) x[token * 4 + c] = x[c] as number;
      return x;
    });
    const inputs = tf.tensor3d(Float32Array.from(samples.flatMap((x) => [...x])), [indices.length, 9, 4]);
    return { inputs, labels: Int32Array.from(indices, (i) => i % 2) };
  },
};

describe('training DG-Attention', () => {
  beforeAll(async () => {
    await setupBackend('wasm');
  });

  it.each(['step', 'literal'] as const)('lowers the loss, with centroids that move: %s', async (ema) => {
    using model = new Net({ ema });
    using optimizer = new AdamW({ parameters: model.namedParameters(), lr: 0.03 });
    const before = await model.attention.centroids.read();
    const losses: number[] = [];
    const onProgress = ({ loss }: TrainingProgress) => void losses.push(loss);
    await train({ model, optimizer, data, batchSize: 12, steps: 60, onProgress });
    const mean = (part: number[]) => part.reduce((sum, loss) => sum + loss, 0) / part.length;
    expect(mean(losses.slice(-10))).toBeLessThan(0.7 * mean(losses.slice(0, 10)));
    expect(await model.attention.centroids.read()).not.toEqual(before);
  });

  it.each(['random', 'queries'] as const)('resumed ends at the bits of a run that never stopped: %s', async (init) => {
    const states: TrainingState[] = [];
    const run = async (resume?: TrainingState) => {
      using model = new Net({ init });
      using optimizer = new AdamW({ parameters: model.namedParameters(), lr: 0.03 });
      const onCheckpoint = (state: TrainingState) => void states.push(state);
      await train({ model, optimizer, data, batchSize: 12, steps: 4, checkpointEvery: 2, onCheckpoint, resume });
    };
    await run();
    await run(states[0]);
    expect(states.map(({ metadata }) => metadata.get('step'))).toEqual(['2', '4', '4']);
    const [middle, end, again] = states;
    expect(again?.tensors).toEqual(end?.tensors);
    const name = 'model.attention.centroids';
    expect(end?.tensors.get(name)).not.toEqual(middle?.tensors.get(name));
  });
});
