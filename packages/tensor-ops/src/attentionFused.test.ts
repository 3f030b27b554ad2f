import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AttentionOptions, attention } from './attention.ts';
import { BackendError } from './backendError.ts';
import { ConfigError, ShapeError } from './errors.ts';
import { type KernelMode, setKernelMode } from './kernelMode.ts';
import { ATTENTION, ATTENTION_GRAD } from './kernels/names.ts';
import { blockProgram } from './kernels/webgpu/attentionBlocks.ts';
import { forwardProgram } from './kernels/webgpu/attentionForward.ts';
import { keyValueGradProgram } from './kernels/webgpu/attentionKeyValueGrad.ts';
import { queryGradProgram } from './kernels/webgpu/attentionQueryGrad.ts';
import { sample, tensor } from './testing/reference.ts';
import { runMultiOutputProgram, trimBufferPool, webgpuDevice, webgpuMemory } from './webgpu/index.ts';

/** Sizes of one call: B*h as [B, h], N, L, e, f. */
interface Problem {
  readonly heads?: readonly [number, number];
  readonly queries: number;
  readonly keys: number;
  readonly e: number;
  readonly f: number;
}

const random = (shape: readonly number[], seed: number, range = 2): tf.Tensor4D =>
  tensor(sample(shape, seed, { low: -range, high: range }));

function inputs(
  { heads = [1, 2], queries, keys, e, f }: Problem,
  range?: number,
): [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D] {
  return [
    random([...heads, queries, e], 1, range),
    random([...heads, keys, e], 2, range),
    random([...heads, keys, f], 3, range),
  ];
}

/** The value and the gradients of q, k and v, on one of the paths. */
function computed(mode: KernelMode, tensors: readonly tf.Tensor[], options: AttentionOptions = {}): tf.Tensor[] {
  setKernelMode(mode);
  return tf.tidy(() => {
    const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
      attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, options);
    const [q, k, v] = tensors as [tf.Tensor, tf.Tensor, tf.Tensor];
    const dy = random([...q.shape.slice(0, 3), v.shape[3] as number], 4);
    return [f(q, k, v), ...tf.grads(f as (...x: tf.Tensor[]) => tf.Tensor)([q, k, v], dy)];
  });
}

async function expectSame(tensors: readonly tf.Tensor[], options?: AttentionOptions): Promise<void> {
  const [expected, found] = [computed('explicit', tensors, options), computed('fused', tensors, options)];
  await expectClose(found[0] as tf.Tensor, expected[0] as tf.Tensor, { tolerance: 2e-5 });
  for (const i of [1, 2, 3]) await expectClose(found[i] as tf.Tensor, expected[i] as tf.Tensor, { tolerance: 2e-4 });
}

const size = (max: number) => fc.integer({ min: 1, max });
/** Both blocks of queries and up to three of keys, but of few programs, which take long to compile on a processor. */
const problems = fc.record({
  queries: size(70),
  keys: fc.integer({ min: 2, max: 70 }),
  e: fc.constantFrom(1, 2, 5, 17, 31),
  f: fc.constantFrom(1, 3, 7, 30),
});

describeOnBackends(
  'fused attention',
  () => {
    beforeEach(() => setKernelMode('fused'));
    afterEach(() => setKernelMode('auto'));

    it.each<[string, Problem]>([
      ['one query, one key, one channel', { heads: [1, 1], queries: 1, keys: 2, e: 1, f: 1 }],
      ['odd sizes, e != f, several samples', { heads: [2, 3], queries: 5, keys: 7, e: 3, f: 5 }],
      ['blocks of 64 queries, the last one short', { queries: 67, keys: 35, e: 17, f: 9 }],
      ['64 channels', { queries: 33, keys: 65, e: 64, f: 64 }],
      ['128 channels', { heads: [1, 1], queries: 34, keys: 33, e: 128, f: 128 }],
      ['keys of 4 channels, values of 127', { heads: [1, 1], queries: 3, keys: 33, e: 4, f: 127 }],
    ])('computes what the explicit path computes, with gradients: %s', async (_, problem) => {
      await expectSame(inputs(problem));
    });

    it('computes what the explicit path computes: random sizes and scales', async () => {
      // Scores of a few units: where one weight is all but 1, the gradients are what is left of larger numbers.
      const property = fc.asyncProperty(problems, fc.double({ min: 0.1, max: 1.5, noNaN: true }), (problem, scale) =>
        expectSame(inputs(problem), { scale: scale / Math.sqrt(problem.e) }),
      );
      await fc.assert(property, { numRuns: 10 });
    });

    it('weighs values with weights that sum to 1', async () => {
      const property = fc.asyncProperty(problems, async (problem) => {
        const [q, k, v] = inputs(problem);
        await expectClose(attention(q, k, tf.onesLike(v)), tf.ones([1, 2, problem.queries, problem.f]), {
          tolerance: 1e-6,
        });
      });
      await fc.assert(property, { numRuns: 10 });
    });

    it('gives the value of the only key, which depends on no query', async () => {
      const [q, k, v] = inputs({ queries: 3, keys: 1, e: 5, f: 7 });
      const [y, dq, dk] = computed('fused', [q, k, v]) as [tf.Tensor, tf.Tensor, tf.Tensor];
      await expectClose(y, tf.tile(v, [1, 1, 3, 1]), { tolerance: 1e-6 });
      for (const x of [dq, dk]) expect(Math.max(...(await tf.abs(x).data()))).toBeLessThan(1e-5);
    });

    it('does not depend on the order of the keys', async () => {
      const [q, k, v] = inputs({ queries: 9, keys: 70, e: 3, f: 5 });
      const order = tf.util.createShuffledIndices(70);
      const turned = (x: tf.Tensor4D) => tf.gather(x, [...order], 2);
      await expectClose(attention(q, turned(k), turned(v)), attention(q, k, v));
    });

    it('takes scores of plus and minus 80, and of thousands', async () => {
      const [q, k, v] = inputs({ queries: 9, keys: 70, e: 1, f: 3 }, 1);
      await expectSame([tf.sign(q), tf.mul(k, 80), v], { scale: 1 });
      for (const x of computed('fused', [tf.mul(q, 1000), k, v], { scale: 10 })) {
        expect((await x.data()).every(Number.isFinite)).toBe(true);
      }
    });

    it('gives no weight to scores that overflow to minus infinity', async () => {
      const column = (values: number[]) => tf.tensor4d(values, [1, 1, values.length, 1]);
      const [q, k, v] = [column([1e20, 2e20]), column([-1e20, 1e-20, -1e-20, -3e38]), column([1, 2, 3, 4])];
      const [y] = computed('fused', [q, k, v]) as [tf.Tensor];
      await expectClose(y, [2 + 1 / (1 + Math.exp(2)), 2 + 1 / (1 + Math.exp(4))], { tolerance: 1e-6 });
      await expectSame([q, k, v]);
    });

    it('joins sets, of unequal lengths too, and gives each its gradient', async () => {
      const [q, k, v] = inputs({ queries: 5, keys: 40, e: 3, f: 5 });
      const lengths = [7, 32, 1];
      const sets = [...tf.split(k, lengths, 2), ...tf.split(v, lengths, 2)] as tf.Tensor[];
      const ofSets = (...x: tf.Tensor[]) => {
        const [q, ...sets] = x as [tf.Tensor4D, ...tf.Tensor4D[]];
        return attention(q, sets.slice(0, 3), sets.slice(3)) as tf.Tensor;
      };
      const dy = random([1, 2, 5, 5], 4);
      const [y, dq, dk, dv] = computed('fused', [q, k, v]) as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
      await expectClose(ofSets(q, ...sets), y);
      const found = tf.grads(ofSets)([q, ...sets], dy);
      await expectClose(found[0] as tf.Tensor, dq);
      await expectClose(tf.concat(found.slice(1, 4), 2), dk);
      await expectClose(tf.concat(found.slice(4), 2), dv);
    });

    it('joins no more heads at once than a binding can hold', async () => {
      const [queries, length, e, f] = [5, 7, 3, 6];
      const sets = [1, 2].map((seed) => random([5, length, e, 1], seed)).map((x) => tf.squeeze(x, [3]));
      const values = [3, 4].map((seed) => tf.squeeze(random([5, length, f, 1], seed), [3]));
      const q = tf.squeeze(random([5, queries, e, 1], 5), [3]);
      const run = (kernel: string, tensors: tf.Tensor[], limit?: number) =>
        tf.engine().runKernel(kernel, tensors as unknown as tf.NamedTensorMap, {
          scale: 0.5,
          storage: 'f32',
          ...(limit === undefined ? {} : { limit }),
        }) as unknown as tf.Tensor[];
      const tensors = [q, ...sets, ...values];
      const ofTwoHeads = 2 * (4 * 2 * length * f) + 3;
      const whole = run(ATTENTION, tensors);
      const [y, logarithms] = run(ATTENTION, tensors, ofTwoHeads) as [tf.Tensor, tf.Tensor];
      await expectClose(y, whole[0] as tf.Tensor, { tolerance: 0 });
      await expectClose(logarithms, whole[1] as tf.Tensor, { tolerance: 0 });
      const backward = [tf.onesLike(y), y, logarithms, ...tensors];
      const gradients = run(ATTENTION_GRAD, backward);
      for (const [i, gradient] of run(ATTENTION_GRAD, backward, ofTwoHeads).entries()) {
        await expectClose(gradient, gradients[i] as tf.Tensor, { tolerance: 0 });
      }
      expect(gradients).toHaveLength(5);
      expect(() => run(ATTENTION, tensors, ofTwoHeads / 2 - 2)).toThrow(ShapeError);
      expect(() => run(ATTENTION, tensors, 300)).toThrow(
        /keys: expected at most 300 bytes .* got 336 bytes \(14 tokens/,
      );
    });

    it('may be given workgroups in two dimensions, and a few too many', async () => {
      // So are they from 65,536 on, which would take minutes here.
      const sizes = { groups: 3, queries: 40, keys: 5, keySize: 3, valueSize: 5, scale: 1 };
      const tensors = [random([3, 40, 3, 1], 1), random([3, 5, 3, 1], 2), random([3, 5, 5, 1], 3)];
      const program = blockProgram(forwardProgram(sizes, 'f32'));
      expect(program.dispatch).toEqual([3, 1, 1]);
      const run = (dispatch: readonly [number, number, number]) =>
        runMultiOutputProgram(
          { ...program, dispatch },
          tensors.map((x) => tf.reshape(x, [x.size])),
        );
      const [expected, found] = [run([3, 1, 1]), run([2, 2, 1])];
      for (const i of [0, 1]) await expectClose(found[i] as tf.Tensor, expected[i] as tf.Tensor, { tolerance: 0 });
    });

    it('leaves its result only', async () => {
      const [q, k, v] = inputs({ queries: 5, keys: 7, e: 3, f: 5 });
      const sets = tf.split<tf.Tensor4D>(k, [3, 4], 2);
      const values = tf.split<tf.Tensor4D>(v, [3, 4], 2);
      await expectNoLeak(() => attention(q, k, v));
      await expectNoLeak(() => attention(q, sets, values));
      await expectNoLeak(() => tf.grads((q) => attention(q as tf.Tensor4D, k, v))([q]));
      await expectNoLeak(() => tf.grads((q) => attention(q as tf.Tensor4D, sets, values))([q]));
    });

    it('refuses what the device cannot bind, instead of computing garbage', () => {
      const rows = Math.floor(webgpuDevice().limits.maxStorageBufferBindingSize / (4 * 128)) + 1;
      const [q, k] = [tf.zeros([1, 1, rows, 1]) as tf.Tensor4D, tf.zeros([1, 1, 1, 1]) as tf.Tensor4D];
      const call = () => attention(q, k, tf.zeros([1, 1, 1, 128]) as tf.Tensor4D);
      expect(call).toThrow(ShapeError);
      expect(call).toThrow(/^result: expected a tensor of at most \d+ bytes.*got \[1,\d+,128\] = \d+ bytes/);
    });

    it('gives heads of more than 128 channels to the explicit path, unless told to be fused', async () => {
      const [q, k, v] = inputs({ heads: [1, 1], queries: 2, keys: 3, e: 129, f: 1 });
      expect(() => attention(q, k, v)).toThrow(ConfigError);
      expect(() => attention(q, k, v)).toThrow(/heads of up to 128 channels, not 129/);
      setKernelMode('auto');
      const automatic = attention(q, k, v);
      setKernelMode('explicit');
      await expectClose(automatic, attention(q, k, v), { tolerance: 0 });
    });
  },
  { backends: ['webgpu'] },
);

describe('programs of fused attention', () => {
  it('stay within the limits that every WebGPU device has', () => {
    for (const storage of ['f32', 'f16'] as const) {
      for (const [queries, keySize, valueSize] of [
        [1, 1, 1],
        [100, 32, 32],
        [100, 64, 128],
        [100, 128, 64],
      ] as const) {
        const sizes = { groups: 1, queries, keys: queries, keySize, valueSize, scale: 1 };
        for (const make of [forwardProgram, queryGradProgram, keyValueGradProgram]) {
          const { declarations = '', inputs, moreOutputs } = blockProgram(make(sizes, storage));
          const arrays = [...declarations.matchAll(/var<workgroup> \w+ : array<(Staged|vec4<f32>), (\d+)>/g)];
          const bytes = arrays.map(
            ([, type, count]) => (type === 'Staged' && storage === 'f16' ? 8 : 16) * Number(count),
          );
          expect(bytes.length).toBeGreaterThanOrEqual(2);
          expect(bytes.reduce((total, size) => total + size)).toBeLessThanOrEqual(16_384);
          expect(inputs.length + moreOutputs.length + 1).toBeLessThanOrEqual(8);
        }
      }
    }
  });
});

describeOnBackends(
  'memory of fused attention',
  () => {
    afterEach(() => setKernelMode('auto'));

    it('is what it returns, keeps for the gradient, and one number for each query', async () => {
      const problem = { heads: [1, 2], queries: 100, keys: 400, e: 17, f: 9 } as const;
      const [q, k, v] = inputs(problem);
      const dy = random([1, 2, problem.queries, problem.f], 4);
      /** All buffers that a run takes beside what is there: the pool never shrinks by itself. */
      const bytes = async (mode: KernelMode, run: () => tf.Tensor[]) => {
        await Promise.all([q, k, v, dy].map((x) => x.data()));
        trimBufferPool();
        const before = webgpuMemory().bytesAllocated;
        setKernelMode(mode);
        const results = tf.tidy(run);
        const [first] = results as [tf.Tensor];
        const read = (await first.data()).byteLength;
        const after = webgpuMemory().bytesAllocated;
        tf.dispose(results);
        return after - before - read;
      };
      const forward = () => [attention(q, k, v)];
      const backward = () =>
        tf.grads((...x: tf.Tensor[]) => attention(...(x as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D])) as tf.Tensor)(
          [q, k, v],
          dy,
        );
      await bytes('fused', backward); // Uploads the inputs.
      const perQuery = 4 * 2 * problem.queries;
      const outputs = perQuery * (problem.f + 1);
      const gradients = perQuery * (problem.e + 1) + 4 * 2 * problem.keys * (problem.e + problem.f);
      /** Of the programs, a few hundred bytes each. */
      const uniforms = 4096;

      const value = await bytes('fused', forward);
      expect(value).toBeGreaterThanOrEqual(outputs);
      expect(value).toBeLessThan(outputs + uniforms);
      expect(value).toBeLessThan((await bytes('explicit', forward)) / 3);
      const all = await bytes('fused', backward);
      expect(all).toBeGreaterThanOrEqual(outputs + gradients);
      expect(all).toBeLessThan(outputs + gradients + uniforms);
      expect(all).toBeLessThan((await bytes('explicit', backward)) / 3);
    });
  },
  { backends: ['webgpu'] },
);

describeOnBackends(
  'fused attention in half precision',
  () => {
    afterEach(() => setKernelMode('auto'));
    const problem = { queries: 35, keys: 37, e: 5, f: 3 };

    it('computes the same, to 11 bits', async (context) => {
      if (!webgpuDevice().features.has('shader-f16')) {
        console.warn('SKIPPED: attention in half precision: this GPU device lacks shader-f16');
        context.skip();
      }
      const tensors = inputs(problem);
      const [expected, found] = [computed('explicit', tensors), computed('fused', tensors, { storage: 'f16' })];
      for (const [i, x] of found.entries()) await expectClose(x, expected[i] as tf.Tensor, { tolerance: 5e-3 });
    });

    it('is refused where it cannot be had', () => {
      const tensors = inputs(problem);
      expect(() => computed('explicit', tensors, { storage: 'f16' })).toThrow(BackendError);
      if (webgpuDevice().features.has('shader-f16')) return;
      expect(() => computed('auto', tensors, { storage: 'f16' })).toThrow(BackendError);
      expect(() => computed('auto', tensors, { storage: 'f16' })).toThrow(/shader-f16/);
    });
  },
  { backends: ['webgpu'] },
);

describeOnBackends(
  'storage of attention',
  () => {
    it('is f32 or f16, and f16 for the fused kernel', () => {
      const x = tf.ones([1, 1, 1, 1]) as tf.Tensor4D;
      expect(() => attention(x, x, x, { storage: 'f8' as 'f16' })).toThrow(ConfigError);
      expect(() => attention(x, x, x, { storage: 'f16' })).toThrow(BackendError);
      expect(() => attention(x, x, x, { storage: 'f32' })).not.toThrow();
    });
  },
  { backends: ['cpu'] },
);
