import { setupBackend } from '@saccade/tensor-ops/node';
import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { BackendError } from './backendError.ts';
import {
  type DepthwiseTokensOptions,
  depthwiseSets,
  depthwiseTokens,
  depthwiseTokensBatch,
} from './depthwiseTokens.ts';
import { ConfigError, ShapeError } from './errors.ts';
import { type KernelMode, setKernelMode } from './kernelMode.ts';
import { flatDispatch } from './kernels/webgpu/depthwiseTokensLayout.ts';
import { product } from './shape.ts';
import { at, convolution, type Dense, fill, sample, tensor } from './testing/reference.ts';
import { webgpuDevice } from './webgpu/index.ts';

interface Problem {
  readonly batch: number;
  readonly grid: readonly number[];
  readonly kernel: readonly number[];
  readonly heads: number;
  readonly headSize: number;
  readonly detectors: number;
  readonly stride: number;
  readonly shared: boolean;
}

const tokensOf = ({ batch, grid, heads, headSize }: Problem) => [batch, product(grid), heads * headSize];
const filterOf = ({ kernel, heads, headSize, detectors, shared }: Problem) => [
  ...kernel,
  shared ? 1 : heads * headSize,
  detectors,
];

/** The definition, by loops over the whole convolution with multiplier: channel c*D + d -> [B, h, d*L + l, e]. */
function reference(p: Problem, x: Dense, filter: Dense): Dense {
  const { batch, detectors, headSize, heads, stride } = p;
  const clip = <T>(sizes: readonly T[], one: T) => (sizes.length === 3 ? sizes : [one, ...sizes]) as [T, T, T];
  const kernel = clip(p.kernel, 1);
  const weights = { ...filter, shape: [...kernel, ...filter.shape.slice(-2)] };
  const map = { ...x, shape: [batch, ...clip(p.grid, 1), heads * headSize] };
  const sampling = {
    kernel,
    stride: [1, stride, stride],
    padding: kernel.map((size) => (size - 1) / 2) as [number, number, number],
  } as const;
  const y = convolution(map, heads * headSize * detectors, sampling, (t, u, v, c, o) =>
    Math.floor(o / detectors) === c ? at(weights, t, u, v, p.shared ? 0 : c, o % detectors) : 0,
  );
  const positions = product(y.shape.slice(1, 4));
  const flat = { ...y, shape: [batch, positions, heads * headSize * detectors] };
  return fill([batch, heads, detectors * positions, headSize], (...[b, head, token, e]) => {
    const [d, l] = [Math.floor((token as number) / positions), (token as number) % positions];
    return at(flat, b as number, l, ((head as number) * headSize + (e as number)) * detectors + d);
  });
}

const upTo = (max: number) => fc.integer({ min: 1, max });
const problems = fc.constantFrom(2, 3).chain((rank) =>
  fc.record({
    batch: upTo(2),
    grid: fc.array(upTo(rank === 2 ? 6 : 4), { minLength: rank, maxLength: rank }),
    kernel: fc.array(fc.constantFrom(1, 3, 5), { minLength: rank, maxLength: rank }),
    heads: upTo(3),
    headSize: upTo(3),
    detectors: fc.constantFrom(1, 2, 4, 8, 9, 11),
    stride: upTo(3),
    shared: fc.boolean(),
  }),
);

/** Sizes for gradients: each has something that the others lack. */
const CASES: readonly [string, Problem][] = [
  ['images', problem({ grid: [3, 4], kernel: [3, 3], detectors: 3 })],
  ['images, stride 2, an even axis', problem({ grid: [4, 3], kernel: [1, 3], stride: 2, headSize: 1 })],
  ['images smaller than the kernel', problem({ grid: [1, 2], kernel: [5, 5], detectors: 1 })],
  ['images of two tiles a row, the second not full', problem({ grid: [2, 9], kernel: [1, 3], heads: 1 })],
  ['images of two strided tiles', problem({ grid: [2, 17], kernel: [1, 5], stride: 2, heads: 1 })],
  ['images, shared filters', problem({ grid: [3, 3], kernel: [3, 3], shared: true })],
  ['clips', problem({ grid: [3, 2, 2], kernel: [3, 1, 3] })],
  ['clips, stride 3, shared filters', problem({ grid: [2, 4, 3], kernel: [3, 3, 1], stride: 3, shared: true })],
];

function problem(sizes: Pick<Problem, 'grid' | 'kernel'> & Partial<Problem>): Problem {
  return { batch: 2, heads: 2, headSize: 2, detectors: 2, stride: 1, shared: false, ...sizes };
}

const operator = (options: DepthwiseTokensOptions) => (x: tf.Tensor, filter: tf.Tensor) =>
  depthwiseTokens(x as tf.Tensor3D, filter, options);

afterEach(() => setKernelMode('auto'));

describeOnBackends('depthwiseTokens', (backend) => {
  const modes: readonly KernelMode[] = backend.name === 'webgpu' ? ['explicit', 'fused'] : ['auto'];

  it.each(modes)('is the direct convolution with its heads split: %s', (mode) =>
    fc.assert(
      fc.asyncProperty(problems, async (p) => {
        setKernelMode(mode);
        const [x, filter] = [sample(tokensOf(p), 1), sample(filterOf(p), 2)];
        const y = tf.tidy(() => depthwiseTokens(tensor(x), tensor(filter), p));
        const expected = reference(p, x, filter);
        expect(y.shape).toEqual(expected.shape);
        await expectClose(y, expected.data);
        y.dispose();
      }),
      { numRuns: backend.name === 'webgpu' ? 15 : 40, seed: 31 },
    ),
  );

  it.each(CASES)('leaves its result, and gradients, and nothing else: %s', async (_, p) => {
    await expectNoLeak(() => {
      const [x, filter] = [tensor(sample(tokensOf(p), 1)), tensor(sample(filterOf(p), 2))];
      const sets = depthwiseSets(x as tf.Tensor3D, filter, p.grid, p.stride);
      expect(sets).toHaveLength(p.detectors);
      const { value, grads } = tf.valueAndGrads(operator(p))([x, filter]);
      return [x, filter, value, ...grads, ...sets];
    });
  });
});

describeOnBackends(
  'the gradients of depthwiseTokens',
  () => {
    it.each(CASES)('are those of finite differences: %s', async (_, p) => {
      const inputs = [tensor(sample(tokensOf(p), 3)), tensor(sample(filterOf(p), 4))];
      await finiteDifference(operator(p) as (...inputs: tf.Tensor[]) => tf.Tensor, inputs, { names: ['x', 'filter'] });
    });
  },
  { backends: ['cpu', 'wasm'] },
);

describeOnBackends(
  'the gradients of depthwiseTokens',
  () => {
    /** The value, and the gradients for a dy of our own, read. */
    const gradients = async (p: Problem, mode: KernelMode) => {
      setKernelMode(mode);
      const results = tf.tidy(() => {
        const [x, filter] = [tensor(sample(tokensOf(p), 3)), tensor(sample(filterOf(p), 4))];
        const y = depthwiseTokens(x as tf.Tensor3D, filter, p);
        return [y, ...tf.grads(operator(p))([x, filter], tensor(sample(y.shape, 5)))];
      });
      const values = await Promise.all(results.map((result) => result.data()));
      tf.dispose(results);
      return values;
    };

    it.each(CASES)('are those that cpu finds, on both paths: %s', async (_, p) => {
      await setupBackend('cpu');
      const expected = await gradients(p, 'auto');
      await setupBackend('webgpu');
      for (const mode of ['explicit', 'fused'] as const) {
        const found = await gradients(p, mode);
        for (const [i, values] of found.entries()) await expectClose(values, expected[i]!);
      }
    });

    it.each([
      // 2 * 5 * 9 lines for 108 weights.
      ['of a line each', problem({ grid: [5, 9, 8], kernel: [3, 3, 1], headSize: 3 })],
      // 14 lines for 25,600 weights: three parts of five lines, the last of them one short.
      ['of several lines', problem({ batch: 1, grid: [7, 2, 1], kernel: [5, 5, 1], headSize: 512, detectors: 1 })],
    ])('are summed in parts, and are equal bit by bit every time: %s', async (_, p) => {
      const [explicit, fused, again] = [
        await gradients(p, 'explicit'),
        await gradients(p, 'fused'),
        await gradients(p, 'fused'),
      ];
      for (const [i, values] of fused.entries()) {
        await expectClose(values, explicit[i]!, { tolerance: 2e-5 });
        expect(values).toEqual(again[i]);
      }
    });
  },
  { backends: ['webgpu'] },
);

describeOnBackends(
  'depthwiseTokens',
  () => {
    it('takes more than 65,535 workgroups', async () => {
      setKernelMode('fused');
      // Of one column, so that an invocation has but one position.
      const [tokens, channels] = [4230, 1000];
      expect(tokens * channels).toBeGreaterThan(65_535 * 64);
      const [x, filter] = [sample([1, tokens, channels], 1), sample([1, 1, channels, 1], 2)];
      const [y, dx] = tf.tidy(() => {
        const inputs = [tensor(x), tensor(filter)] as const;
        const { value, grads } = tf.valueAndGrads(operator({ grid: [tokens, 1], heads: 1 }))([...inputs]);
        return [value, grads[0]!];
      }) as [tf.Tensor, tf.Tensor];
      const last = 2000;
      const tail = async (t: tf.Tensor) => (await t.data()).subarray(-last);
      const filters = Array.from({ length: last }, (_, i) => filter.data[i % channels]!);
      await expectClose(
        await tail(y),
        filters.map((f, i) => f * x.data[x.data.length - last + i]!),
      );
      await expectClose(await tail(dx), filters);
    });

    it('refuses what the device cannot bind, instead of computing garbage', () => {
      setKernelMode('fused');
      const detectors = Math.floor(webgpuDevice().limits.maxStorageBufferBindingSize / (4 * 1024 * 1024)) + 1;
      const [x, filter] = [tf.zeros([1, 1024, 1024]) as tf.Tensor3D, tf.zeros([1, 1, 1024, detectors])];
      const call = () => depthwiseTokens(x, filter, { grid: [32, 32], heads: 1 });
      expect(call).toThrow(ShapeError);
      expect(call).toThrow(/^result: expected a tensor of at most \d+ bytes.*got \[1,1,\d+,1024\] = \d+ bytes/);
    });
  },
  { backends: ['webgpu'] },
);

describeOnBackends('depthwiseTokensBatch', ({ name }) => {
  // 2x2 positions of the strided grid, 3 frames, 6 channels, 5 detectors.
  const options = { grid: [3, 4, 3], heads: 2, stride: 2 } as const;
  const sample = 4 * 12 * 6 * 5;
  const batch = (limit?: number, dtype: 'float32' | 'int32' = 'float32', heads = 2) =>
    tf.tidy(() => {
      const filter = tf.zeros<tf.Rank.R5>([1, 1, 1, 1, 5], dtype);
      return depthwiseTokensBatch(tf.zeros([9, 36, 3 * heads]), filter, { ...options, heads }, limit);
    });

  it('is how many samples fit where the kernels are to be used, else none', () => {
    const kernels = name === 'webgpu';
    for (const [limit, samples] of [
      [10 * sample, 10],
      [10 * sample - 1, 9],
      [sample, 1],
      [sample - 1, 0],
    ] as const) {
      expect(batch(limit)).toBe(kernels ? samples : 0);
    }
    expect(batch()).toBeGreaterThanOrEqual(kernels ? 1000 : 0);
    expect(batch(sample, 'int32')).toBe(0);
    setKernelMode('explicit');
    expect(batch(sample)).toBe(0);
  });

  it('throws where the kernels are called for and cannot be used', () => {
    setKernelMode('fused');
    const wide = () =>
      depthwiseTokensBatch(tf.zeros([1, 4, 129]), tf.zeros([1, 1, 129, 1]), { grid: [2, 2], heads: 1 });
    if (name === 'webgpu') {
      expect(batch(sample)).toBe(1);
      expect(() => batch(sample - 1)).toThrow(/results of at most 1439 bytes, not 1440 for one sample/);
      expect(() => batch(sample, 'int32')).toThrow(/float32, not int32/);
      expect(wide).toThrow(/heads of up to 128 channels for attention, not 129/);
      expect(wide).toThrow(ConfigError);
    } else {
      expect(() => batch(sample)).toThrow(BackendError);
    }
    setKernelMode('auto');
    expect(wide()).toBe(0);
  });
});

describe('flatDispatch', () => {
  it('has at least as many invocations as wanted, and no more than 65,535 workgroups along an axis', () => {
    for (const wanted of [1, 64, 65, 65_535 * 64, 65_535 * 64 + 1, 2 ** 28, 2 ** 31]) {
      const groups = flatDispatch(wanted);
      expect(product(groups) * 64).toBeGreaterThanOrEqual(wanted);
      expect(product(groups) * 64).toBeLessThan(wanted + 64 * 64 * groups[1]);
      expect(Math.max(...groups)).toBeLessThanOrEqual(65_535);
    }
  });
});

describeOnBackends(
  'depthwiseTokens refuses',
  () => {
    const call = (x: readonly number[], filter: readonly number[], options: Partial<DepthwiseTokensOptions> = {}) => {
      tf.tidy(() => {
        depthwiseTokens(tf.zeros([...x] as [number, number, number]), tf.zeros([...filter]), {
          grid: [2, 3],
          heads: 2,
          ...options,
        });
      });
    };

    it('nothing that is right', () => {
      expect(() => call([2, 6, 4], [3, 3, 4, 2])).not.toThrow();
    });

    it.each<[string, () => void, typeof ShapeError | typeof ConfigError, RegExp]>([
      ['a map', () => call([2, 2, 3, 4], [3, 3, 4, 2]), ShapeError, /^x: expected shape \[B,6,C\], got \[2,2,3,4\]/],
      ['another grid', () => call([2, 5, 4], [3, 3, 4, 2]), ShapeError, /^x: .*got \[2,5,4\].*\[2,3\] has 6 positions/],
      ['a flat grid', () => call([2, 6, 4], [3, 4, 2], { grid: [6] }), ConfigError, /^grid: .*got \[6\]/],
      ['a broken grid', () => call([2, 6, 4], [3, 3, 4, 2], { grid: [1.5, 4] }), ConfigError, /^grid: .*got \[1.5,4\]/],
      ['a filter for clips', () => call([2, 6, 4], [3, 3, 3, 4, 2]), ShapeError, /^filter: .*\[kh,kw,4 or 1,D >= 1\]/],
      ['a filter of other channels', () => call([2, 6, 4], [3, 3, 2, 2]), ShapeError, /^filter: .*got \[3,3,2,2\]/],
      ['no detectors', () => call([2, 6, 4], [3, 3, 4, 0]), ShapeError, /^filter: .*D >= 1/],
      [
        'an even kernel',
        () => call([2, 6, 4], [3, 2, 4, 2]),
        ConfigError,
        /^kernel: expected odd sizes, got "\[3,2\]"/,
      ],
      ['heads', () => call([2, 6, 4], [3, 3, 4, 2], { heads: 3 }), ConfigError, /^heads: .*divides C = 4, got 3/],
      ['a stride', () => call([2, 6, 4], [3, 3, 4, 2], { stride: 0 }), ConfigError, /^stride: .*>= 1, got 0/],
    ])('%s', (_, wrong, type, message) => {
      expect(wrong).toThrow(type);
      expect(wrong).toThrow(message);
    });
  },
  { backends: ['wasm'] },
);
