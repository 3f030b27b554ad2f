import { Rng } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type ChannelWeights,
  channelAttention,
  channelInSpaceTime,
  type GateMaps,
  type SpaceTimeWeights,
  spaceTimeAttention,
  spaceTimeInChannel,
} from './attention.ts';
import { axisGate, type GateWeights } from './gate.ts';

type Size = [number, number, number, number, number];
type Weights = ChannelWeights & SpaceTimeWeights;

function random<T extends tf.Tensor>(rng: Rng, shape: readonly number[], scale = 1): T {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => scale * rng.normal()),
    [...shape],
  ) as T;
}

function gateWeights(rng: Rng): GateWeights {
  return { filter: random<tf.Tensor5D>(rng, [3, 3, 3, 2, 1], 0.4) };
}

function weights(rng: Rng): Weights {
  return {
    channel: gateWeights(rng),
    time: gateWeights(rng),
    height: gateWeights(rng),
    width: gateWeights(rng),
  };
}

const OPERATORS: Readonly<Record<string, (x: tf.Tensor5D, w: Weights) => tf.Tensor5D>> = {
  C: channelAttention,
  ST: spaceTimeAttention,
  CinST: channelInSpaceTime,
  STinC: spaceTimeInChannel,
  'STinC of June': (x, w) => spaceTimeInChannel(x, w, { version: 'june' }),
};

/** Weights by which every gate is sigmoid(0) = 1/2. */
function closed(): Weights {
  const filter = tf.zeros([3, 3, 3, 2, 1]) as tf.Tensor5D;
  return { channel: { filter }, time: { filter }, height: { filter }, width: { filter } };
}

describeOnBackends('axisGate', () => {
  it('reads the maximum first, then the mean, and convolves the axes that stay', async () => {
    // One tap: one step later along the first axis that stays, of the maximum minus twice the mean.
    const filter = tf.tidy(() => {
      const taps = new Float32Array(54);
      taps[(2 * 9 + 1 * 3 + 1) * 2] = 1;
      taps[(2 * 9 + 1 * 3 + 1) * 2 + 1] = -2;
      return tf.tensor5d(taps, [3, 3, 3, 2, 1]);
    });
    const x = tf.tensor5d([1, 2, 3, 4, 5, 9, -1, 0], [1, 2, 2, 1, 2]);
    const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));
    // Channels pooled away: rows of [T, H] hold max 2, 4, 9, 0 and mean 1.5, 3.5, 7, -0.5; T is the axis of the tap.
    await expectClose(axisGate(x, 'channel', { filter }), [sigmoid(9 - 14), sigmoid(0 + 1), 0.5, 0.5]);
    // Frames pooled away: [H, C] holds max 5, 9, 3, 4 and mean 3, 5.5, 1, 2; H is the axis.
    await expectClose(axisGate(x, 'time', { filter }), [sigmoid(3 - 2), sigmoid(4 - 4), 0.5, 0.5]);
    // Rows pooled away: [T, C] holds max 3, 4, 5, 9 and mean 2, 3, 2, 4.5; T is the axis.
    await expectClose(axisGate(x, 'height', { filter }), [sigmoid(5 - 4), sigmoid(9 - 9), 0.5, 0.5]);
    // Columns pooled away, of which there is one: maximum and mean are the value.
    await expectClose(axisGate(x, 'width', { filter }), [-5, -9, 1, 0].map(sigmoid).concat([0.5, 0.5, 0.5, 0.5]));
  });

  it('refuses other ranks and filters, by name', () => {
    expect(() => axisGate(tf.zeros([2, 2, 2, 2]) as unknown as tf.Tensor5D, 'time', closed().time)).toThrow(
      /z.*\[B,T,H,W,C\]/,
    );
    const filter = tf.zeros([3, 3, 3, 1, 2]) as tf.Tensor5D;
    expect(() => axisGate(tf.zeros([1, 2, 2, 2, 2]), 'time', { filter })).toThrow(/filter.*\[3,3,3,2,1\]/);
  });
});

describeOnBackends('the operators', () => {
  it('halve everything where no gate has weights', async () => {
    const x = random<tf.Tensor5D>(new Rng(1), [2, 2, 3, 2, 4]);
    for (const operator of Object.values(OPERATORS)) await expectClose(operator(x, closed()), tf.mul(x, 0.5));
  });

  it('keep signs and never amplify', async () => {
    const size = fc.tuple(...Array.from({ length: 5 }, () => fc.integer({ min: 1, max: 4 })));
    await fc.assert(
      fc.asyncProperty(size, fc.integer(), async (shape, seed) => {
        const rng = new Rng(seed);
        const [x, w] = [random<tf.Tensor5D>(rng, shape as Size), weights(rng)];
        for (const operator of Object.values(OPERATORS)) {
          const y = operator(x, w);
          const ratio = await tf.div(y, x).data();
          expect(Math.min(...ratio)).toBeGreaterThan(0);
          expect(Math.max(...ratio)).toBeLessThan(1);
        }
      }),
      { numRuns: 4 },
    );
  });

  it('treat the clips of a batch apart', async () => {
    const rng = new Rng(3);
    const [x, w] = [random<tf.Tensor5D>(rng, [3, 2, 3, 4, 2]), weights(rng)];
    for (const operator of Object.values(OPERATORS)) {
      const parts = tf.split(x, 3).map((clip) => operator(clip as tf.Tensor5D, w));
      await expectClose(operator(x, w), tf.concat(parts));
    }
  });

  it('are one inside of the other: the outer gate reads what the inner one scaled', async () => {
    const rng = new Rng(4);
    const [x, w] = [random<tf.Tensor5D>(rng, [1, 3, 2, 4, 3]), weights(rng)];
    const channelOfST = axisGate(spaceTimeAttention(x, w), 'channel', w.channel);
    const expected = tf.mul(tf.reshape(x, [24, 3]), tf.reshape(channelOfST, [24, 1]));
    await expectClose(spaceTimeInChannel(x, w), tf.reshape(expected, x.shape));
    let seen: GateMaps = {};
    spaceTimeAttention(channelAttention(x, w), w, (maps) => {
      seen = { ...maps, time: tf.keep(tf.clone(maps.time as tf.Tensor4D)) };
    });
    let inside: GateMaps = {};
    channelInSpaceTime(x, w, (maps) => {
      inside = { ...maps, time: tf.keep(tf.clone(maps.time as tf.Tensor4D)) };
    });
    await expectClose(inside.time as tf.Tensor, seen.time as tf.Tensor);
    tf.dispose([seen.time as tf.Tensor, inside.time as tf.Tensor]);
  });

  it('have the gradients of finite differences', async () => {
    const rng = new Rng(6);
    // Values far enough apart that no step changes which is the largest.
    const values = rng.shuffle(Array.from({ length: 24 }, (_, i) => (i - 12) / 8));
    const x = tf.tensor5d(values, [1, 2, 2, 3, 2]);
    const filters = Object.values(weights(rng)).map(({ filter }) => filter);
    for (const [name, operator] of Object.entries(OPERATORS)) {
      const f = (x: tf.Tensor, ...[c, t, h, w]: tf.Tensor[]) => {
        const gate = (filter: tf.Tensor | undefined) => ({ filter: filter as tf.Tensor5D });
        return operator(x as tf.Tensor5D, { channel: gate(c), time: gate(t), height: gate(h), width: gate(w) });
      };
      const constant = { C: [2, 3, 4], ST: [1] }[name] ?? [];
      // Steps small enough for the maxima inside, of values that gates have brought together.
      await finiteDifference(f, [x, ...filters], { constant, step: 2e-3, tolerance: 3e-2 });
    }
  });

  it('leave nothing behind', async () => {
    const rng = new Rng(7);
    const [x, w] = [random<tf.Tensor5D>(rng, [1, 2, 3, 2, 4]), weights(rng)];
    for (const operator of Object.values(OPERATORS)) {
      await expectNoLeak(() => operator(x, w));
      await expectNoLeak(() => tf.grad((x) => operator(x as tf.Tensor5D, w))(x));
    }
  });
});
