import { Linear, Module } from '@saccade/nn';
import { ConfigError, Rng, SaccadeError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { clipGradients, gradientNorm, valueAndGradients } from './gradients.ts';

class Half extends Module {
  readonly used = this.child('used', new Linear(2, 1, { rng: new Rng(1) }));
  readonly unused = this.child('unused', new Linear(2, 1, { rng: new Rng(2) }));
}

class Empty extends Module {}

describeOnBackends('valueAndGradients', () => {
  const input = () => tf.tensor2d([
      [1, 2],
      [3, 5],
    ]); // biome-ignore format: a matrix

  it('names gradients after the weights and leaves out those that the loss does not use', async () => {
    using model = new Half();
    const x = input();
    const { value, gradients } = valueAndGradients(model, () => tf.sum(model.used.forward(x)));
    expect([...gradients.keys()]).toEqual(['used.weight', 'used.bias']);
    await expectClose(gradients.get('used.weight')!, tf.tensor2d([[4], [7]]));
    await expectClose(gradients.get('used.bias')!, tf.tensor1d([2]));
    await expectClose(
      value,
      tf.tidy(() => tf.sum(model.used.forward(x))),
    );
  });

  it('frees everything but what it returns', async () => {
    using model = new Half();
    const x = input();
    await expectNoLeak(() => {
      const { value, gradients } = valueAndGradients(model, () => tf.sum(tf.square(model.used.forward(x))));
      return [value, ...gradients.values()];
    });
  });

  it('says that a loss depends on no weight, or that there is none; other errors pass', () => {
    using model = new Half();
    expect(() => valueAndGradients(model, () => tf.scalar(1))).toThrow(SaccadeError);
    expect(() => valueAndGradients(new Empty(), () => tf.scalar(1))).toThrow(ConfigError);
    const own = new RangeError('mine');
    const throwing = () => {
      throw own;
    };
    expect(() => valueAndGradients(model, throwing)).toThrow(own);
  });
});

describeOnBackends('gradientNorm and clipGradients', () => {
  const gradients = () =>
    new Map<string, tf.Tensor>([
      ['a', tf.tensor1d([3, 0])],
      ['b', tf.tensor2d([[0], [4]])],
    ]);

  it('is the length of all gradients together', async () => {
    await expectClose(await gradientNorm(gradients()).data(), [5]);
    await expectClose(await gradientNorm(new Map()).data(), [0]);
    const many = new Map(Array.from({ length: 100 }, (_, i) => [`p${i}`, tf.tensor1d([1])]));
    await expectClose(await gradientNorm(many).data(), [10]);
  });

  it('shortens long gradients and leaves short ones', async () => {
    const long = clipGradients(gradients(), 2.5);
    await expectClose(await long.norm.data(), [5]);
    await expectClose(long.gradients.get('a')!, tf.tensor1d([1.5, 0]));
    await expectClose(long.gradients.get('b')!, tf.tensor2d([[0], [2]]));
    const short = clipGradients(gradients(), 50);
    await expectClose(short.gradients.get('a')!, tf.tensor1d([3, 0]), { tolerance: 0 });
    expect(() => clipGradients(gradients(), 0)).toThrow(ConfigError);
  });

  it('keeps nothing but its result', async () => {
    const all = gradients();
    await expectNoLeak(() => {
      const clipped = clipGradients(all, 1);
      return [clipped.norm, ...clipped.gradients.values()];
    });
  });
});
