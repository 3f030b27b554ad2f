import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import '../register.ts';
import { gradientTable } from './index.ts';

interface Case {
  readonly kernel: string;
  readonly title?: string;
  readonly inputs: () => tf.Tensor[];
  readonly f: (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
  readonly tolerance?: number;
}

/** Distinct values that keep a distance from 0 and from each other (no kinks, no ties): golden-ratio steps. */
function sample(shape: number[], { from = -1.5, to = 1.5, seed = 1 } = {}): tf.Tensor {
  const values = Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => {
    const value = from + (to - from) * ((0.618034 * (i + 1) + 0.377 * seed) % 1);
    return value + 0.15 * Math.sign(value);
  });
  return tf.tensor(values, shape);
}

const positive = (shape: number[], seed = 1) => sample(shape, { from: 0.3, to: 2, seed });

/** A case for a function of one tensor. */
const unary = (kernel: string, f: (x: tf.Tensor) => tf.Tensor | tf.Tensor[], shape = [2, 3]): Case => ({
  kernel,
  inputs: () => [sample(shape)],
  f,
});
const unaryPositive = (kernel: string, f: (x: tf.Tensor) => tf.Tensor): Case => ({
  kernel,
  inputs: () => [positive([2, 3])],
  f,
});
/** Equal shapes, and each operand broadcast against the other. */
const binary = (kernel: string, f: (a: tf.Tensor, b: tf.Tensor) => tf.Tensor, make = sample): Case[] =>
  [
    [[2, 3], [2, 3]],
    [[2, 1, 3], [2, 1]],
    [[], [2, 2]],
  ].map(([a, b]) => ({
    kernel,
    title: `[${a}] with [${b}]`,
    inputs: () => [make(a as number[]), make(b as number[], { seed: 1.43 })],
    f,
  })); // biome-ignore format: pairs of shapes read best as pairs

/** A step function becomes a float and is used, as a mask would be. */
const mask = (condition: tf.Tensor) => tf.cast(condition, 'float32');

const cases: readonly Case[] = [
  ...binary(tf.Add, tf.add),
  { kernel: tf.Add, title: 'x + x', inputs: () => [sample([3])], f: (x) => tf.add(x, x) },
  ...binary(tf.Sub, tf.sub),
  ...binary(tf.Multiply, tf.mul),
  ...binary(tf.RealDiv, tf.div),
  ...binary(tf.SquaredDifference, tf.squaredDifference),
  ...binary(tf.Maximum, tf.maximum),
  ...binary(tf.Minimum, tf.minimum),
  ...binary(tf.Pow, tf.pow, (shape, options) => sample(shape, { from: 0.4, to: 1.6, ...options })),
  { kernel: tf.AddN, inputs: () => [1, 2, 3].map((seed) => sample([2, 2], { seed })), f: (...x) => tf.addN(x) },

  unary(tf.Abs, tf.abs),
  unary(tf.Neg, tf.neg),
  unary(tf.Square, tf.square),
  unaryPositive(tf.Sqrt, tf.sqrt),
  unaryPositive(tf.Rsqrt, tf.rsqrt),
  unaryPositive(tf.Reciprocal, tf.reciprocal),
  unary(tf.Exp, tf.exp),
  unary(tf.Expm1, tf.expm1),
  unaryPositive(tf.Log, tf.log),
  unaryPositive(tf.Log1p, tf.log1p),
  unary(tf.Sin, tf.sin),
  unary(tf.Cos, tf.cos),
  unary(tf.Erf, tf.erf),
  unary(tf.ClipByValue, (x) => tf.clipByValue(x, -1, 0.8)),

  unary(tf.Relu, tf.relu),
  unary(tf.Relu6, (x) => tf.relu6(tf.mul(x, 4))),
  unary(tf.LeakyRelu, (x) => tf.leakyRelu(x, 0.3)),
  unary(tf.Elu, tf.elu),
  { kernel: tf.Prelu, inputs: () => [sample([2, 3]), positive([3])], f: (x, alpha) => tf.prelu(x, alpha as tf.Tensor) },
  unary(tf.Sigmoid, tf.sigmoid),
  unary(tf.Tanh, tf.tanh),
  unary(tf.Softplus, tf.softplus),
  unary(tf.Softmax, (x) => tf.softmax(x)),

  unary(tf.Sum, (x) => tf.sum(x)),
  { ...unary(tf.Sum, (x) => tf.sum(x, [-1, 0], true), [2, 2, 3]), title: 'two axes, kept' },
  unary(tf.Mean, (x) => tf.mean(x)),
  { ...unary(tf.Mean, (x) => tf.mean(x, 1), [2, 2, 3]), title: 'a middle axis' },
  unary(tf.Max, (x) => tf.max(x)),
  { ...unary(tf.Max, (x) => tf.max(x, -1, true), [2, 2, 3]), title: 'the last axis, kept' },
  unary(tf.Min, (x) => tf.min(x, 0)),
  unary(tf.Cumsum, (x) => tf.cumsum(x, 1)),
  { ...unary(tf.Cumsum, (x) => tf.cumsum(x, 0, true)), title: 'exclusive' },

  unary(tf.Identity, (x) => tf.clone(x)),
  unary(tf.Cast, (x) => tf.cast(x, 'float32')),
  unary(tf.Reshape, (x) => tf.reshape(x, [3, 2])),
  unary(tf.ExpandDims, (x) => tf.expandDims(x, 1)),
  { ...unary(tf.ExpandDims, (x) => tf.expandDims(x, -1)), title: 'at the end' },
  unary(tf.Transpose, (x) => tf.transpose(x, [2, 0, 1]), [2, 2, 3]),
  unary(tf.Reverse, (x) => tf.reverse(x, -1)),
  unary(tf.Slice, (x) => tf.slice(x, [1, 0, 1], [1, 2, 2]), [2, 2, 3]),
  {
    ...unary(tf.Slice, (x) => tf.slice(x, [0, 1, 0, 1, 0], [1, 1, 2, 1, 2]), [1, 2, 2, 2, 2]),
    title: 'rank 5',
  },
  unary(tf.PadV2, (x) => tf.pad(x, [[1, 0], [0, 2]])), // biome-ignore format: one pair an axis
  unary(tf.Tile, (x) => tf.tile(x, [2, 3])),
  { ...unary(tf.Tile, (x) => tf.tile(x, [2, 1, 3, 1, 2]), [1, 2, 1, 2, 1]), title: 'rank 5' },
  {
    kernel: tf.Concat,
    inputs: () => [sample([2, 1]), sample([2, 2], { seed: 2 })],
    f: (a, b) => tf.concat([a as tf.Tensor, b as tf.Tensor], -1),
  },
  { ...unary(tf.SplitV, (x) => tf.split(x, [1, 2], 1)), title: 'two parts of three' },
  {
    kernel: tf.Pack,
    inputs: () => [sample([2]), sample([2], { seed: 2 })],
    f: (a, b) => tf.stack([a as tf.Tensor, b as tf.Tensor], 1),
  },
  unary(tf.Unpack, (x) => tf.unstack(x, 1)),
  {
    kernel: tf.Select,
    inputs: () => [sample([2, 3]), sample([2, 3], { seed: 2 })],
    f: (a, b) => tf.where(tf.tensor2d([1, 0, 0, 1, 1, 0], [2, 3], 'bool'), a as tf.Tensor, b as tf.Tensor),
  },
  unary(tf.GatherV2, (x) => tf.gather(x, tf.tensor1d([2, 0, 2, 2], 'int32'), 0), [3, 2]),
  {
    ...unary(tf.GatherV2, (x) => tf.gather(x, tf.tensor2d([1, 0, 2, 1], [2, 2], 'int32'), 1), [2, 3, 2]),
    title: 'a middle axis, indices of rank 2',
  },

  ...[
    [[2, 3], [3, 2]],
    [[2, 2, 3], [2, 3, 2]],
    [[2, 2, 3], [1, 3, 2]],
    [[2, 3], [2, 3, 2]],
  ].map(([a, b]) => ({
    kernel: tf.BatchMatMul,
    title: `[${a}] with [${b}]`,
    inputs: () => [sample(a as number[]), sample(b as number[], { seed: 2 })],
    f: (a: tf.Tensor, b: tf.Tensor) => tf.matMul(a, b),
  })), // biome-ignore format: pairs of shapes read best as pairs
  ...[
    [true, false],
    [false, true],
    [true, true],
  ].map(([transposeA, transposeB]) => ({
    kernel: tf.BatchMatMul,
    title: `transposed ${transposeA}, ${transposeB}`,
    inputs: () => [sample(transposeA ? [2, 3, 2] : [2, 2, 3]), sample(transposeB ? [2, 2, 3] : [2, 3, 2], { seed: 2 })],
    f: (a: tf.Tensor, b: tf.Tensor) => tf.matMul(a, b, transposeA, transposeB),
  })),

  ...(['same', 'valid'] as const).flatMap((pad) =>
    [1, 2].map((stride) => ({
      kernel: tf.Conv2D,
      title: `${pad}, stride ${stride}`,
      inputs: () => [sample([1, 4, 3, 2]), sample([3, 2, 2, 2], { seed: 2 })],
      f: (x: tf.Tensor, w: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad),
    })),
  ),
  ...([
    ['explicit padding', [[0, 0], [1, 0], [0, 1], [0, 0]]],
    ['padding as wide as the kernel', [[0, 0], [2, 0], [0, 2], [0, 0]]],
  ] as [string, tf.backend_util.ExplicitPadding][]).map(([title, pad]) => ({
    kernel: tf.Conv2D,
    title,
    inputs: () => [sample([1, 3, 3, 2]), sample([2, 2, 2, 1], { seed: 2 })],
    f: (x: tf.Tensor, w: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, pad),
  })), // biome-ignore format: one pair an axis
  {
    kernel: tf.Conv2DBackpropInput,
    title: 'conv2dTranspose',
    inputs: () => [sample([1, 2, 2, 2]), sample([2, 2, 1, 2], { seed: 2 })],
    f: (x, w) => tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, [1, 4, 4, 1], 2, 'same'),
  },
  ...[1, 2].map((stride) => ({
    kernel: tf.DepthwiseConv2dNative,
    title: `stride ${stride}, multiplier 2`,
    inputs: () => [sample([2, 3, 4, 2]), sample([3, 3, 2, 2], { seed: 2 })],
    f: (x: tf.Tensor, w: tf.Tensor) => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, 'same'),
  })),

  ...([
    [tf.Equal, tf.equal], [tf.NotEqual, tf.notEqual], [tf.Greater, tf.greater],
    [tf.GreaterEqual, tf.greaterEqual], [tf.Less, tf.less], [tf.LessEqual, tf.lessEqual],
  ] as const).map(([kernel, f]) => unary(kernel, (x) => tf.mul(x, mask(f(x, 0))))), // biome-ignore format: a table
  unary(tf.LogicalAnd, (x) => tf.mul(x, mask(tf.logicalAnd(tf.greater(x, 0), tf.less(x, 1))))),
  unary(tf.LogicalOr, (x) => tf.mul(x, mask(tf.logicalOr(tf.less(x, 0), tf.greater(x, 1))))),
  unary(tf.LogicalNot, (x) => tf.mul(x, mask(tf.logicalNot(tf.greater(x, 0))))),
  unary(tf.Any, (x) => tf.mul(x, mask(tf.any(tf.greater(x, 0))))),
  unary(tf.All, (x) => tf.mul(x, mask(tf.all(tf.greater(x, 0), 1, true)))),
  unary(tf.IsNan, (x) => tf.mul(x, mask(tf.isNaN(x)))),
  unary(tf.IsInf, (x) => tf.mul(x, mask(tf.isInf(x)))),
  unary(tf.IsFinite, (x) => tf.mul(x, mask(tf.isFinite(x)))),
  unary(tf.Sign, (x) => tf.mul(x, tf.sign(x))),
  unary(tf.Step, (x) => tf.mul(x, tf.step(x, 0.5))),
  unary(tf.Floor, (x) => tf.mul(x, tf.floor(x))),
  unary(tf.Ceil, (x) => tf.mul(x, tf.ceil(x))),
  unary(tf.Round, (x) => tf.mul(x, tf.round(x))),
  unary(tf.ArgMax, (x) => tf.add(x, mask(tf.argMax(x, 0)))),
  unary(tf.ArgMin, (x) => tf.add(x, mask(tf.argMin(x, 0)))),
  unary(tf.ZerosLike, (x) => tf.add(x, tf.zerosLike(x))),
  unary(tf.OnesLike, (x) => tf.mul(x, tf.onesLike(x))),
  unary(tf.OneHot, (x) => tf.mul(x, tf.oneHot(tf.cast(tf.argMax(x, 1), 'int32'), 3))),
];

describeOnBackends('gradient of', () => {
  it.each(cases.map((one) => [`${one.kernel}${one.title ? `: ${one.title}` : ''}`, one] as const))(
    '%s',
    async (_, { kernel, inputs, f, tolerance }) => {
      const ours = vi.spyOn(tf.getGradient(kernel), 'gradFunc');
      await finiteDifference(f, inputs(), tolerance === undefined ? {} : { tolerance });
      expect(ours, 'calls of our entry').toHaveBeenCalled();
      ours.mockRestore();
    },
  );

  it('goes to all largest elements in equal parts', async () => {
    const dx = tf.grad((x) => tf.max(x))(tf.tensor1d([2, 5, 5, 1]));
    await expectClose(dx, [0, 0.5, 0.5, 0]);
  });

  it('of a power is finite where the base is 0', async () => {
    const [dBase, dExponent] = tf.grads((a, b) => tf.pow(a, b))([tf.tensor1d([0, 0, 2]), tf.tensor1d([2, 0, 3])]);
    await expectClose(dBase as tf.Tensor, [0, 0, 12]);
    await expectClose(dExponent as tf.Tensor, [0, 0, 8 * Math.log(2)]);
  });

  it('of sums in reverse is the sums of dy', async () => {
    // Not by finite differences: the function itself is wrong on webgpu (REPAIRS.md).
    for (const length of [3, 5]) {
      const w = sample([length]);
      const dx = tf.grad((x) => tf.sum(tf.mul(tf.cumsum(x, 0, false, true), w)))(tf.zeros([length]));
      await expectClose(dx, tf.cumsum(w));
    }
  });

  it('leaves no tensor behind', async () => {
    const x = sample([2, 3]);
    const w = sample([3, 4]);
    const f = (x: tf.Tensor, w: tf.Tensor) => {
      const y = tf.softmax(tf.relu(tf.matMul(x, w)));
      const [a, b] = tf.split(tf.add(y, tf.sum(y, 1, true)), 2, 1);
      return tf.sum(tf.concat([tf.slice(a as tf.Tensor, [0, 1], [2, 1]), tf.mul(b as tf.Tensor, y.shape[0])], 1));
    };
    await expectNoLeak(() => tf.grads(f)([x, w]));
  });
});

describeOnBackends(
  'gradient of gather with batch dimensions',
  () => {
    it.each([
      ['one', [2, 3], [2, 2], 1, 1],
      ['one, then an axis to keep', [2, 2, 3], [2, 2], 2, 1],
      ['two, and rows', [2, 1, 3, 2], [2, 1, 2], 2, 2],
    ] as const)('%s', async (_, shape, indicesShape, axis, batchDims) => {
      const indices = tf.tensor([2, 0, 1, 2], [...indicesShape], 'int32');
      await finiteDifference((x) => tf.gather(x, indices, axis, batchDims), [sample([...shape])]);
    });
  },
  { backends: ['cpu', 'webgpu'] }, // On wasm the operation itself is wrong (REPAIRS.md).
);

describeOnBackends(
  'gradient of a dilated convolution',
  () => {
    it('is refused, and the message names the argument', () => {
      const f = (x: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, tf.ones([2, 2, 1, 1]), 1, 'valid', 'NHWC', 2);
      expect(() => tf.grad(f)(tf.ones([1, 4, 4, 1]))).toThrow(/dilations: expected 1/);
    });
  },
  { backends: ['wasm'] },
);

describe('the table of gradients', () => {
  it('has a test for every entry', () => {
    const tested = new Set(cases.map(({ kernel }) => kernel));
    expect(gradientTable.map(({ kernelName }) => kernelName).filter((name) => !tested.has(name))).toEqual([]);
  });

  it('has one entry a kernel', () => {
    const names = gradientTable.map(({ kernelName }) => kernelName);
    expect(new Set(names).size).toBe(names.length);
  });
});
