import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { dynamicGroups, type GroupRouting } from '../../dynamicGroups.ts';
import { ConfigError, ShapeError } from '../../errors.ts';
import { groupedAttention } from '../../groupedAttention.ts';
import { type KernelMode, setKernelMode } from '../../kernelMode.ts';
import { Rng } from '../../random.ts';
import { at, type Dense, sample, sum, tensor } from '../../testing/reference.ts';
import { trimBufferPool, webgpuDevice, webgpuMemory } from '../../webgpu/index.ts';
import { GROUPED_ATTENTION, GROUPED_ATTENTION_GRAD } from '../names.ts';

/** Sizes of one call; `used` of the G groups have queries. */
interface Problem {
  readonly heads?: readonly [number, number];
  readonly N: number;
  readonly L: number;
  readonly d: number;
  readonly G: number;
  readonly k: number;
  readonly used?: number;
}

interface Inputs {
  readonly x: Readonly<Record<'q' | 'k' | 'v' | 'dy', Dense>>;
  /** [B*h][N] and [B*h][G][k] */
  readonly assignment: readonly (readonly number[])[];
  readonly keys: readonly (readonly (readonly number[])[])[];
}

/** Keys of a group in no particular order; groups that differ from head to head. */
function inputs({ heads = [1, 2], N, L, d, G, k, used = G }: Problem): Inputs {
  const rng = new Rng(N + 7 * L);
  const sets = Array.from({ length: heads[0] * heads[1] }, () => rng.shuffle(Array.from({ length: G }, (_, g) => g)));
  const range = { low: -2, high: 2 };
  return {
    x: {
      q: sample([...heads, N, d], 1, range),
      k: sample([...heads, L, d], 2, range),
      v: sample([...heads, L, d], 3, range),
      dy: sample([...heads, N, d], 4),
    },
    assignment: sets.map((groups) => Array.from({ length: N }, () => groups[rng.int(0, used - 1)] as number)),
    keys: sets.map((groups) => groups.map(() => rng.shuffle(Array.from({ length: L }, (_, l) => l)).slice(0, k))),
  };
}

interface Tensors {
  readonly q: tf.Tensor4D;
  readonly k: tf.Tensor4D;
  readonly v: tf.Tensor4D;
  readonly dy: tf.Tensor4D;
  readonly routing: GroupRouting;
}

function onDevice({ x, assignment, keys }: Inputs): Tensors {
  const [batch, heads, queries] = x.q.shape as [number, number, number];
  const [groups, count] = [keys[0]?.length as number, keys[0]?.[0]?.length as number];
  return {
    ...{ q: tensor(x.q), k: tensor(x.k), v: tensor(x.v), dy: tensor(x.dy) },
    routing: {
      assignment: tf.tensor(assignment.flat(), [batch, heads, queries], 'int32') as tf.Tensor3D,
      keys: tf.tensor(keys.flat(2), [batch, heads, groups, count], 'int32') as tf.Tensor4D,
    },
  };
}

/** Value and gradients of q, k and v. */
type Results<T> = readonly [y: T, dq: T, dk: T, dv: T];

/** The definition and its derivatives as loops, in float64. */
function expected({ x, assignment, keys }: Inputs, scale: number): Results<number[]> {
  const [, heads, queries, size] = x.q.shape as [number, number, number, number];
  const length = x.k.shape[2] as number;
  const [y, dq] = [x.q, x.q].map(({ data }) => new Array<number>(data.length).fill(0)) as [number[], number[]];
  const [dk, dv] = [x.k, x.k].map(({ data }) => new Array<number>(data.length).fill(0)) as [number[], number[]];
  const add = (to: number[], place: number, value: number) => {
    to[place] = (to[place] as number) + value;
  };
  assignment.forEach((groupOf, set) => {
    const head = [Math.floor(set / heads), set % heads] as const;
    const dot = (a: Dense, i: number, b: Dense, l: number) =>
      sum(size, (c) => at(a, ...head, i, c) * at(b, ...head, l, c));
    groupOf.forEach((group, i) => {
      const own = keys[set]?.[group] as readonly number[];
      const scores = own.map((l) => scale * dot(x.q, i, x.k, l));
      const top = Math.max(...scores);
      const total = scores.reduce((all, s) => all + Math.exp(s - top), 0);
      const weights = scores.map((s) => Math.exp(s - top) / total);
      const dWeights = own.map((l) => dot(x.dy, i, x.v, l));
      const delta = sum(own.length, (j) => (weights[j] as number) * (dWeights[j] as number));
      own.forEach((l, j) => {
        const a = weights[j] as number;
        const ds = scale * a * ((dWeights[j] as number) - delta);
        const [query, key] = [(set * queries + i) * size, (set * length + l) * size];
        for (let c = 0; c < size; c++) {
          add(y, query + c, a * at(x.v, ...head, l, c));
          add(dq, query + c, ds * at(x.k, ...head, l, c));
          add(dk, key + c, ds * at(x.q, ...head, i, c));
          add(dv, key + c, a * at(x.dy, ...head, i, c));
        }
      });
    });
  });
  return [y, dq, dk, dv];
}

/** Value and gradients through the public function, on one of its paths. */
function computed(mode: KernelMode, { q, k, v, dy, routing }: Tensors, scale: number): Results<tf.Tensor> {
  setKernelMode(mode);
  return tf.tidy(() => {
    const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) =>
      groupedAttention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D, routing, { scale }) as tf.Tensor;
    const gradients = tf.grads(f as (...x: tf.Tensor[]) => tf.Tensor)([q, k, v], dy);
    return [f(q, k, v), ...gradients] as unknown as tf.Tensor[];
  }) as unknown as Results<tf.Tensor>;
}

async function expectResults(found: Results<tf.Tensor>, wanted: Results<tf.Tensor | number[]>): Promise<void> {
  const tolerances = [2e-5, 2e-4, 2e-4, 2e-4];
  for (const [i, tolerance] of tolerances.entries()) {
    const [y, x] = [found[i] as tf.Tensor, wanted[i] as tf.Tensor | number[]];
    // A gradient that is zero everywhere: of one key alone, its weight is 1.
    const values = Array.isArray(x) ? x : await x.data();
    const zero = values.every((value: number) => Math.abs(value) < 1e-12);
    if (zero) expect(Math.max(...(await tf.abs(y).data()))).toBeLessThan(1e-5);
    else await expectClose(y, x, { tolerance });
  }
}

async function expectSame(problem: Problem, against: ('loops' | 'mask')[] = ['loops']): Promise<void> {
  const data = inputs(problem);
  const scale = 1 / Math.sqrt(problem.d);
  const tensors = onDevice(data);
  const found = computed('fused', tensors, scale);
  if (against.includes('loops')) await expectResults(found, expected(data, scale));
  if (against.includes('mask')) await expectResults(found, computed('explicit', tensors, scale));
}

/** The kernels themselves, with attributes that the public function leaves to them. */
function run({ q, k, v, dy, routing }: Tensors, attributes: { rows?: number; limit?: number }): Results<tf.Tensor> {
  const kernel = (name: string, tensors: tf.Tensor[]) =>
    tf.engine().runKernel(name, tensors as unknown as tf.NamedTensorMap, {
      scale: 0.5,
      ...attributes,
    }) as unknown as tf.Tensor[];
  const operands = [q, k, v, routing.assignment, routing.keys];
  const results = kernel(GROUPED_ATTENTION, operands);
  const gradients = kernel(GROUPED_ATTENTION_GRAD, [dy, ...operands, ...results]);
  return [results[0] as tf.Tensor, ...gradients] as unknown as Results<tf.Tensor>;
}

describeOnBackends(
  'grouped attention on the GPU',
  (backend) => {
    beforeEach(() => setKernelMode('fused'));
    afterEach(() => setKernelMode('auto'));

    it.each<[string, Problem]>([
      ['one of everything', { heads: [1, 1], N: 1, L: 2, d: 1, G: 1, k: 2 }],
      ['odd sizes, several samples and heads', { heads: [2, 3], N: 7, L: 11, d: 5, G: 3, k: 4 }],
      ['one group', { N: 70, L: 9, d: 4, G: 1, k: 5 }],
      ['more groups than queries', { N: 3, L: 9, d: 4, G: 40, k: 2 }],
      ['groups without queries', { N: 40, L: 30, d: 8, G: 7, k: 11, used: 2 }],
      ['all keys', { N: 35, L: 33, d: 17, G: 3, k: 33 }],
      ['one key each', { N: 9, L: 5, d: 3, G: 3, k: 1 }],
      ['groups of several blocks, keys of several blocks', { N: 150, L: 90, d: 32, G: 2, k: 70 }],
      ['64 channels', { N: 40, L: 70, d: 64, G: 3, k: 37 }],
      ['127 channels', { heads: [1, 1], N: 20, L: 40, d: 127, G: 2, k: 35 }],
    ])('computes what the definition and the mask do, with gradients: %s', async (_, problem) => {
      await expectSame(problem, ['loops', 'mask']);
    });

    it('computes what the definition does: random sizes', async () => {
      const size = (max: number) => fc.integer({ min: 1, max });
      const problems = fc
        .record({
          N: size(60),
          L: size(50),
          d: fc.constantFrom(1, 4, 7, 12),
          G: size(9),
          share: size(50),
          used: size(9),
        })
        .map(({ share, used, ...rest }) => {
          return { ...rest, k: Math.min(share, rest.L), used: Math.min(used, rest.G) };
        });
      await fc.assert(
        fc.asyncProperty(problems, (problem) => expectSame(problem)),
        { numRuns: 10 },
      );
    });

    it('computes what the definition does at a larger size, with groups as they are found', async () => {
      const [N, d] = [1000, 16];
      const [q, k, v, dy] = [1, 2, 3, 4].map((seed) => sample([1, 1, N, d], seed)) as [Dense, Dense, Dense, Dense];
      const tensors = { q: tensor<tf.Tensor4D>(q), k: tensor<tf.Tensor4D>(k), v: tensor<tf.Tensor4D>(v) };
      const routing = dynamicGroups(tensors.q, tensors.k, tensor(sample([1, 12, d], 5)), { topK: 49 });
      const found = computed('fused', { ...tensors, dy: tensor(dy), routing }, 1);
      const assignment = (await tf.squeeze(routing.assignment, [0]).array()) as number[][];
      const keys = (await tf.squeeze(routing.keys, [0]).array()) as number[][][];
      await expectResults(found, expected({ x: { q, k, v, dy }, assignment, keys }, 1));
    });

    it('does not depend on how large its blocks are', async () => {
      const data = inputs({ N: 150, L: 60, d: 12, G: 4, k: 35 });
      const tensors = onDevice(data);
      for (const rows of [32, 64]) await expectResults(run(tensors, { rows }), expected(data, 0.5));
      // Large by themselves: many queries for each group.
      await expectSame({ heads: [1, 1], N: 140, L: 20, d: 33, G: 1, k: 20 });
    });

    it('may be given workgroups in two dimensions, and a few too many', async () => {
      // So is everything from 65,536 workgroups on, which would take minutes here.
      const { q, k, v, dy } = onDevice(inputs({ N: 70, L: 50, d: 5, G: 4, k: 35 }));
      const centroids = tensor<tf.Tensor3D>(sample([2, 4, 5], 5));
      const all = () => {
        const routing = dynamicGroups(q, k, centroids, { topK: 35 });
        return [...Object.values(routing), ...run({ q, k, v, dy, routing }, {})];
      };
      const expected = all();
      const { dispatchWorkgroups } = GPUComputePassEncoder.prototype;
      const spread = vi.spyOn(GPUComputePassEncoder.prototype, 'dispatchWorkgroups');
      spread.mockImplementation(function (this: GPUComputePassEncoder, x) {
        return dispatchWorkgroups.call(this, Math.ceil(x / 2) + 1, 2);
      });
      const found = all();
      expect(spread.mock.calls.map(([, y, z]) => [y, z])).toEqual(Array(12).fill([1, 1]));
      spread.mockRestore();
      for (const [i, x] of found.entries()) await expectClose(x, expected[i] as tf.Tensor, { tolerance: 0 });
    });

    it('gives equal bits for equal inputs', async () => {
      const tensors = onDevice(inputs({ N: 100, L: 50, d: 8, G: 5, k: 30 }));
      const [first, second] = [run(tensors, {}), run(tensors, {})];
      for (const [i, x] of first.entries()) await expectClose(second[i] as tf.Tensor, x, { tolerance: 0 });
    });

    it('gives keys that no query sees exactly zero', async () => {
      const data = inputs({ N: 30, L: 40, d: 4, G: 4, k: 9, used: 2 });
      const [, , dk, dv] = computed('fused', onDevice(data), 0.5);
      const seen = data.assignment.map((groups, set) => new Set(groups.flatMap((g) => data.keys[set]?.[g] ?? [])));
      for (const gradient of [dk, dv]) {
        const rows = (await tf.reshape(gradient, [2, 40, 4]).array()) as number[][][];
        rows.forEach((keys, set) => {
          keys.forEach((row, l) => {
            const zeros = row.every((x) => x === 0);
            expect(zeros, `key ${l} of head ${set}`).toBe(!seen[set]?.has(l));
          });
        });
      }
    });

    it('adds up no more heads at once than a binding can hold', async () => {
      const [G, k, d, L] = [3, 7, 5, 11];
      const tensors = onDevice(inputs({ heads: [3, 1], N: 20, L, d, G, k }));
      const whole = run(tensors, {});
      const ofHead = 4 * G * k * d;
      for (const limit of [ofHead, 2 * ofHead + 3]) {
        for (const [i, x] of run(tensors, { limit }).entries()) {
          await expectClose(x, whole[i] as tf.Tensor, { tolerance: 0 });
        }
      }
      expect(() => run(tensors, { limit: ofHead - 1 })).toThrow(ShapeError);
      expect(() => run(tensors, { limit: ofHead - 1 })).toThrow(/^keys: expected at most 419 bytes .* got 420 bytes/);
    });

    it('keeps to its tensors whatever the indices are', async () => {
      const data = inputs({ heads: [1, 1], N: 9, L: 6, d: 4, G: 3, k: 2 });
      const wild = (valid: readonly number[], count: number) =>
        valid.map((x, i) => [x, -1, count, 2 ** 31 - 1, -(2 ** 31)][i % 5] as number);
      const tame = (x: number, count: number) => Math.min(Math.max(x, 0), count - 1);
      const groups = wild(data.assignment[0] as number[], 3);
      // One key of each group; a second one, equal to it once both are in range, would count twice.
      const keys = wild(
        (data.keys[0] as number[][]).map(([l]) => l as number),
        6,
      );
      const found = { ...data, assignment: [groups], keys: [keys.map((l) => [l])] };
      const meant = {
        ...data,
        assignment: [groups.map((g) => tame(g, 3))],
        keys: [keys.map((l) => [tame(l, 6)])],
      };
      await expectResults(computed('fused', onDevice(found), 1), expected(meant, 1));
    });

    it('leaves its result only', async () => {
      const { q, k, v, routing } = onDevice(inputs({ N: 9, L: 7, d: 4, G: 3, k: 4 }));
      const f = (q: tf.Tensor) => groupedAttention(q as tf.Tensor4D, k, v, routing) as tf.Tensor;
      await expectNoLeak(() => f(q));
      await expectNoLeak(() => tf.grad(f)(q));
    });

    it('refuses what it does not take, if told to be fused', async () => {
      const wide = onDevice(inputs({ N: 2, L: 3, d: 129, G: 1, k: 2 }));
      const call = () => groupedAttention(wide.q, wide.k, wide.v, wide.routing);
      expect(call).toThrow(ConfigError);
      expect(call).toThrow(/heads of up to 128 channels, not 129/);
      setKernelMode('auto');
      const automatic = call();
      setKernelMode('explicit');
      await expectClose(automatic, call(), { tolerance: 0 });
    });

    it('refuses what the device cannot bind, instead of computing garbage', () => {
      const most = webgpuDevice().limits.maxStorageBufferBindingSize;
      // Of the order of the queries alone, which has 32 places for each, one head binds more than of anything else.
      const heads = Math.ceil(most / (4 * 34));
      const x = tf.zeros([1, heads, 1, 1]) as tf.Tensor4D;
      const routing = {
        assignment: tf.zeros([1, heads, 1], 'int32') as tf.Tensor3D,
        keys: tf.zeros([1, heads, 1, 1], 'int32') as tf.Tensor4D,
      };
      const call = () => groupedAttention(x, x, x, routing);
      expect(call).toThrow(ShapeError);
      expect(call).toThrow(/^keys and order of queries: expected a tensor of at most \d+ bytes/);
    });

    it('waits for nothing: neither groups, nor attention, nor the gradients are read on the way', async () => {
      const { q, k, v, dy } = onDevice(inputs({ N: 30, L: 30, d: 4, G: 3, k: 5 }));
      const centroids = tensor<tf.Tensor3D>(sample([2, 3, 4], 5));
      const backend = tf.backend() as unknown as Record<'read' | 'readSync' | 'getBufferData', () => unknown>;
      const reads = (['read', 'readSync', 'getBufferData'] as const).map((name) => vi.spyOn(backend, name));
      const maps = vi.spyOn(webgpuDevice(), 'createBuffer');
      try {
        const results = tf.tidy(() => {
          const routing = dynamicGroups(q, k, centroids, { topK: 5 });
          const f = (...x: tf.Tensor[]) =>
            groupedAttention(...(x as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]), routing) as tf.Tensor;
          return [...Object.values(routing), f(q, k, v), ...tf.grads(f)([q, k, v], dy)];
        });
        for (const spy of reads) expect(spy).not.toHaveBeenCalled();
        for (const [descriptor] of maps.mock.calls) expect(descriptor.usage & GPUBufferUsage.MAP_READ).toBe(0);
        // The spies do see a read.
        await (results.at(-1) as tf.Tensor).data();
        expect(reads[0]).toHaveBeenCalledTimes(1);
        expect(reads[2]).toHaveBeenCalledTimes(1);
      } finally {
        for (const spy of [...reads, maps]) spy.mockRestore();
      }
    });

    it('has memory of the order of its tensors, and none of the size N x L', async () => {
      const [N, d, G, topK] = [500, 8, 4, 16];
      const tensors = [1, 2, 3, 4].map((seed) => tensor<tf.Tensor4D>(sample([1, 1, N, d], seed)));
      const [q, k, v, dy] = tensors as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
      const centroids = tensor<tf.Tensor3D>(sample([1, G, d], 5));
      const attend = (...x: tf.Tensor[]) => {
        const routing = dynamicGroups(q, k, centroids, { topK });
        return groupedAttention(...(x as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]), routing) as tf.Tensor;
      };
      const forward = () => [attend(q, k, v)];
      const backward = () => tf.grads(attend)([q, k, v], dy);
      /** Bytes of all buffers that a run takes (the pool never shrinks by itself), and of the largest. */
      const taken = async (mode: KernelMode, compute: () => tf.Tensor[]) => {
        setKernelMode(mode);
        expect(await backend.info.takeErrors()).toEqual([]); // Waits, so that what was used before is free by now.
        trimBufferPool();
        const before = webgpuMemory().bytesAllocated;
        const created = vi.spyOn(webgpuDevice(), 'createBuffer');
        const results = tf.tidy(compute);
        const largest = Math.max(...created.mock.calls.map(([{ size }]) => size));
        const bytes = webgpuMemory().bytesAllocated - before;
        created.mockRestore();
        tf.dispose(results);
        return { bytes, largest };
      };
      tf.dispose(tf.tidy(backward)); // Uploads the inputs.
      const map = 4 * N * N;
      expect((await taken('explicit', forward)).largest).toBeGreaterThanOrEqual(map);
      const fused = await taken('fused', backward);
      const ofTensor = 4 * N * d;
      // The output and three gradients; places, numbers for them, and queries; scores, and slots of keys; parts of dk and dv.
      const [places, pairs, parts] = [4 * (N + 32 * G), 4 * G * N, 4 * G * topK * d];
      const expected = 4 * ofTensor + 4 * places + 4 * N + 2 * pairs + 2 * parts;
      expect(fused.largest).toBeLessThanOrEqual(ofTensor);
      expect(fused.bytes).toBeGreaterThan(3 * ofTensor);
      expect(fused.bytes).toBeLessThan(expected + 8192); // and lists of G k, and the programs' uniforms
      expect(fused.bytes).toBeLessThan(map / 4);
    });
  },
  { backends: ['webgpu'] },
);
