import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, expect, it } from 'vitest';
import { scaleByAxisGates } from './axisGates.ts';
import { type KernelMode, setKernelMode } from './kernelMode.ts';
import { maxMean } from './maxMean.ts';
import { planeConv3d } from './planeConv3d.ts';
import { Rng } from './random.ts';
import { product } from './shape.ts';

type Size = [number, number, number, number, number];

function values(seed: number, shape: readonly number[]): Float32Array {
  const rng = new Rng(seed);
  return Float32Array.from({ length: product(shape) }, () => rng.uniform(-1, 1));
}

function random<T extends tf.Tensor>(seed: number, shape: readonly number[]): T {
  return tf.tensor(values(seed, shape), [...shape]) as T;
}

/** Both paths of an operation; where a backend has no kernel of ours they are the same. */
const MODES: readonly KernelMode[] = ['auto', 'explicit'];

afterEach(() => setKernelMode('auto'));

describeOnBackends('maxMean', () => {
  // Lengths below, at and above the four lanes of SIMD; axes at the front, in the middle and at the end.
  const cases: [shape: number[], axis: number][] = [
    [[2, 3, 5], 0],
    [[2, 3, 2, 5], 1],
    [[3, 2, 4, 1, 3], 3],
    [[4, 11], 1],
    [[5, 2], 1],
  ];

  it('gives the largest value and the mean of every line', async () => {
    for (const mode of MODES) {
      setKernelMode(mode);
      for (const [shape, axis] of cases) {
        const x = random(7, shape);
        await expectClose(maxMean(x, axis), tf.stack([tf.max(x, axis), tf.mean(x, axis)]));
      }
    }
  });

  it('is right for negative values and for one value alone', async () => {
    await expectClose(maxMean(tf.tensor2d([[-3, -1, -2]]), 1), [-1, -2]);
    await expectClose(maxMean(tf.tensor2d([[-3], [4]]), 1), [-3, 4, -3, 4]);
  });

  it('sends the gradient of the maximum to the first place that holds it', async () => {
    for (const mode of MODES) {
      setKernelMode(mode);
      const x = tf.tensor2d([
        [1, 5, 5, 2],
        [7, 0, 7, 7],
      ]);
      const dx = tf.grad((x) => tf.sum(tf.slice(maxMean(x, 1), [0, 0], [1, 2])))(x);
      await expectClose(dx, [0, 1, 0, 0, 1, 0, 0, 0]);
    }
  });

  it('has the gradient of finite differences', async () => {
    // Far enough apart that no step of the differences changes which is the largest.
    const x = tf.tensor3d(new Rng(5).shuffle(Array.from({ length: 24 }, (_, i) => i / 8)), [2, 4, 3]);
    for (const mode of MODES) {
      setKernelMode(mode);
      await finiteDifference((x) => maxMean(x as tf.Tensor, 1), [x]);
    }
  });

  it('refuses an axis that is not there, and leaves nothing behind', async () => {
    expect(() => maxMean(tf.zeros([2, 2]), 2)).toThrow(/axis.*0 to 1/);
    const x = random(1, [2, 3, 4]);
    await expectNoLeak(() => maxMean(x, 1));
    await expectNoLeak(() => tf.grad((x) => maxMean(x, 1))(x));
  });
});

/** The formula of planeConv3d as loops. */
function convolved(x: Float32Array, [planes, batch, a, b, c]: Size, filter: Float32Array, outputs: number): number[] {
  const plane = batch * a * b * c;
  return Array.from({ length: outputs * plane }, (_, index) => {
    const [o, place] = [Math.floor(index / plane), index % plane];
    const [i, j, k] = [Math.floor(place / (b * c)) % a, Math.floor(place / c) % b, place % c];
    let sum = 0;
    for (let tap = 0; tap < 27; tap++) {
      const [u, v, w] = [Math.floor(tap / 9) - 1, (Math.floor(tap / 3) % 3) - 1, (tap % 3) - 1];
      if (i + u < 0 || i + u >= a || j + v < 0 || j + v >= b || k + w < 0 || k + w >= c) continue;
      for (let p = 0; p < planes; p++) {
        const value = x[p * plane + place + (u * b + v) * c + w] as number;
        sum += value * (filter[(tap * planes + p) * outputs + o] as number);
      }
    }
    return sum;
  });
}

describeOnBackends('planeConv3d', () => {
  // [P, B, a, b, c]: rows below, at and above what SIMD takes at once, and axes of one position.
  const sizes: readonly Size[] = [
    [2, 2, 3, 4, 11],
    [1, 1, 1, 1, 1],
    [3, 1, 2, 1, 2],
    [2, 1, 1, 3, 5],
    [2, 1, 4, 2, 6],
  ];

  it('is its formula', async () => {
    for (const size of sizes) {
      const [x, filter] = [values(1, size), values(2, [27, size[0], 2])];
      const expected = tf.tensor(convolved(x, size, filter, 2), [2, ...size.slice(1)]);
      for (const mode of MODES) {
        setKernelMode(mode);
        await expectClose(planeConv3d(tf.tensor5d(x, size), tf.tensor5d(filter, [3, 3, 3, size[0], 2])), expected);
      }
    }
  });

  it('has the gradients of finite differences', async () => {
    for (const mode of MODES) {
      setKernelMode(mode);
      for (const size of [sizes[2], [2, 1, 3, 2, 6]] as Size[]) {
        const inputs = [random(3, size), random(4, [3, 3, 3, size[0], 2])];
        await finiteDifference((x, filter) => planeConv3d(x as tf.Tensor5D, filter as tf.Tensor5D), inputs);
      }
    }
  });

  it('has one gradient on both paths', async () => {
    const [x, filter, dy] = [random<tf.Tensor5D>(3, [2, 2, 3, 4, 13]), random<tf.Tensor5D>(4, [3, 3, 3, 2, 1]), random(5, [1, 2, 3, 4, 13])]; // biome-ignore format: one line a tensor
    const gradients = tf.grads((x, filter) => planeConv3d(x as tf.Tensor5D, filter as tf.Tensor5D));
    const [dx, dFilter] = gradients([x, filter], dy) as [tf.Tensor, tf.Tensor];
    setKernelMode('explicit');
    const explicit = gradients([x, filter], dy) as [tf.Tensor, tf.Tensor];
    await expectClose(dx, explicit[0]);
    await expectClose(dFilter, explicit[1]);
  });

  it('refuses other shapes, and leaves nothing behind', async () => {
    const x = random<tf.Tensor5D>(1, [2, 1, 2, 2, 5]);
    const filter = random<tf.Tensor5D>(2, [3, 3, 3, 2, 1]);
    expect(() => planeConv3d(x, random(2, [3, 3, 3, 1, 1]))).toThrow(/filter.*\[3,3,3,2,O\]/);
    await expectNoLeak(() => planeConv3d(x, filter));
    await expectNoLeak(() => tf.grads((x, f) => planeConv3d(x as tf.Tensor5D, f as tf.Tensor5D))([x, filter]));
  });
});

describeOnBackends('scaleByAxisGates', () => {
  const inputs = ([b, t, h, w, c]: Size) =>
    [random(1, [b, t, h, w, c]), random(2, [b, h, w, c]), random(3, [b, t, w, c]), random(4, [b, t, h, c])] as [
      tf.Tensor5D,
      tf.Tensor4D,
      tf.Tensor4D,
      tf.Tensor4D,
    ];
  const scaled = (x: tf.Tensor, time: tf.Tensor, height: tf.Tensor, width: tf.Tensor) =>
    scaleByAxisGates(x as tf.Tensor5D, { time, height, width } as Record<'time' | 'height' | 'width', tf.Tensor4D>);

  it('is its formula', async () => {
    const [b, t, h, w, c] = [2, 3, 2, 4, 6];
    const [x, time, height, width] = [
      [b, t, h, w, c],
      [b, h, w, c],
      [b, t, w, c],
      [b, t, h, c],
    ].map((shape, i) => values(i + 1, shape)) as [Float32Array, Float32Array, Float32Array, Float32Array];
    const expected = x.map((value, at) => {
      const [ic, iw, ih, it, ib] = [
        at % c,
        (at / c) | 0,
        (at / (c * w)) | 0,
        (at / (c * w * h)) | 0,
        (at / (c * w * h * t)) | 0,
      ];
      const [column, row, frame] = [iw % w, ih % h, it % t];
      const gates =
        (time[((ib * h + row) * w + column) * c + ic] as number) +
        (height[((ib * t + frame) * w + column) * c + ic] as number) +
        (width[((ib * t + frame) * h + row) * c + ic] as number);
      return (value * gates) / 3;
    });
    for (const mode of MODES) {
      setKernelMode(mode);
      await expectClose(scaled(...inputs([b, t, h, w, c])), tf.tensor(expected, [b, t, h, w, c]));
    }
  });

  it('has the gradients of finite differences, and the same on both paths', async () => {
    const tensors = inputs([2, 2, 3, 2, 5]);
    await finiteDifference((...all) => scaled(...(all as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor])), tensors);
    const gradients = tf.grads((...all) => scaled(...(all as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor])));
    const dy = random(9, [2, 2, 3, 2, 5]);
    const kernel = gradients(tensors, dy);
    setKernelMode('explicit');
    const explicit = gradients(tensors, dy);
    for (const [i, gradient] of kernel.entries()) await expectClose(gradient, explicit[i] as tf.Tensor);
  });

  it('refuses other shapes, and leaves nothing behind', async () => {
    const [x, time, height, width] = inputs([1, 2, 3, 4, 5]);
    expect(() => scaled(x, height, time, width)).toThrow(/time.*\[1,3,4,5\]/);
    await expectNoLeak(() => scaled(x, time, height, width));
  });
});
