import { Linear, Module, type OptimizerStep } from '@saccade/nn';
import { Rng } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { AdamW } from './AdamW.ts';
import { type BatchSource, batchesInOrder } from './data.ts';
import { evaluate } from './evaluate.ts';
import { train } from './train.ts';

/** A part that notes when it is told of a step, and what the first weight of the network then is. */
class Listener extends Module {
  readonly heard: { learningRate: number; weight: number }[] = [];
  readonly #watched: Linear;

  constructor(watched: Linear) {
    super();
    this.#watched = watched;
  }

  protected override stepped({ learningRate }: OptimizerStep): void {
    const [weight] = this.#watched.weight.variable.dataSync();
    this.heard.push({ learningRate, weight: weight as number });
  }
}

class Net extends Module {
  readonly fc = this.child('fc', new Linear(2, 2, { rng: new Rng(1) }));
  readonly listener = this.child('listener', new Listener(this.fc));

  forward(x: tf.Tensor2D): tf.Tensor2D {
    return this.fc.forward(x);
  }
}

const data: BatchSource<tf.Tensor2D, Int32Array> = {
  length: 4,
  batch: (indices) => ({
    inputs: tf.tensor2d(indices.map((i) => [i, 1 - i])),
    labels: Int32Array.from(indices, (i) => i % 2),
  }),
};

describe('afterStep', () => {
  beforeAll(async () => {
    await setupBackend('cpu');
  });

  it('comes once after each step, with its rate, when the weights have changed', async () => {
    using model = new Net();
    using optimizer = new AdamW({ parameters: model.namedParameters(), lr: 1 });
    const weights: number[] = [model.fc.weight.variable.dataSync()[0] as number];
    const onProgress = () => void weights.push(model.fc.weight.variable.dataSync()[0] as number);
    await train({ model, optimizer, data, batchSize: 2, steps: 3, schedule: (s) => 0.01 * (s + 1), onProgress });
    expect(model.listener.heard.map(({ learningRate }) => learningRate)).toEqual([0.01, 0.02, 0.03]);
    expect(model.listener.heard.map(({ weight }) => weight)).toEqual(weights.slice(1));
    expect(new Set(weights).size).toBe(4);
  });

  it('does not come in an evaluation', async () => {
    using model = new Net();
    await evaluate(model, batchesInOrder(data, 2));
    expect(model.listener.heard).toEqual([]);
  });
});
