import { depthwiseTokens, product } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { type StructureMaps, structureMaps } from './maps.ts';
import { type StructFilter, structureSets } from './structAttention.ts';
import { describeOnPaths } from './testing/paths.ts';
import { type Problem, problem, problems, run, tensors, values } from './testing/problem.ts';
import { paperForm } from './testing/reference.ts';

describeOnPaths('structureMaps', ({ name, runs }) => {
  const holds = (property: (p: Problem) => Promise<void>) =>
    // With one channel in all, filters of its own and shared ones have one shape, and the maps are those of shared ones.
    fc.assert(
      fc.asyncProperty(
        problems().filter(({ channels }) => channels > 1),
        property,
      ),
      { ...runs, seed: 2 },
    );

  it('has weights that sum to 1 over positions and detectors together', () =>
    holds(async (p) => {
      const sums = await read(p, [0], (maps) => tf.sum(maps.attention, [3, 4]));
      await expectClose(sums, new Float32Array(p.heads).fill(1));
    }));

  it('is what the form of the paper has in it: the joint softmax, and the kernels of equations (16) and (17)', () =>
    holds(async (p) => {
      const { attention, kappa } = paperForm(p);
      const last = product(p.grid) - 1;
      const rows = attention.map((head) => [...head[last]!]);
      await expectClose(await read(p, [last], (maps) => maps.attention), rows.flat());
      const size = kappa.length / (last + 1);
      await expectClose(await read(p, [last], (maps) => maps.kappa), kappa.subarray(last * size));
    }));

  it('merges to the weights of the values: sum over l of merged_ilc v_lc is the result', () =>
    holds(async (p) => {
      const tokens = product(p.grid);
      const queries = Array.from({ length: tokens }, (_, i) => tokens - 1 - i);
      const results = await read(p, queries, (maps, v) => tf.sum(tf.mul(maps.merged, tf.expandDims(v, 1)), 2));
      const y = await run(p);
      const inOrder = queries.flatMap((i) => [...y.subarray(i * p.channels, (i + 1) * p.channels)]);
      await expectClose(results, inOrder);
    }));

  it.each([
    ['images', { grid: [3, 4], kernelK: [3, 3], kernelV: [3, 1] }],
    ['clips', { grid: [2, 3, 2], kernelK: [1, 3, 3], kernelV: [3, 3, 3] }],
  ] as const)('has a map for each head where all channels share the aggregators: %s', async (_, sizes) => {
    const p = problem({ ...sizes, heads: 2, headDim: 2, detectors: 3, stride: 2, seed: 3 });
    const tokens = product(p.grid);
    const shared = (filter: StructFilter) => {
      const taps = product(filter.shape.slice(0, -2));
      const one = tf.slice(tf.reshape(filter, [taps, p.channels, 3]), [0, 0, 0], [taps, 1, 3]);
      return tf.reshape(one, [...filter.shape.slice(0, -2), 1, 3] as StructFilter['shape']) as StructFilter;
    };
    const maps = tf.tidy(() => {
      const [q, k, , convK, convV] = tensors(p);
      return structureMaps(q, k, convK, shared(convV), { ...p, queries: [5, 0] }) as Maps;
    });
    // The same filters, stored for every channel: the maps of the channels of a head are all alike.
    const repeated = tf.tidy(() => {
      const [q, k, , convK, convV] = tensors(p);
      const filter = shared(convV);
      const full = tf.tile(tf.reshape(filter, [product(p.kernelV), 1, 3]), [1, p.channels, 1]);
      return structureMaps(q, k, convK, tf.reshape(full, convV.shape) as StructFilter, {
        ...p,
        queries: [5, 0],
      }) as Maps;
    });
    const keys = maps.attention.shape[3];
    expect(maps.kappa.shape).toEqual([1, 2, 2, keys, product(p.kernelV)]);
    expect(maps.merged.shape).toEqual([1, 2, 2, tokens]);
    expect(repeated.kappa.shape).toEqual([1, 2, keys, 4, product(p.kernelV)]);
    expect(repeated.merged.shape).toEqual([1, 2, tokens, 4]);

    const merged = await tf.tidy(() => tf.transpose(maps.merged, [0, 2, 3, 1])).data(); // [1, Q, N, h]
    const byHead = Float32Array.from({ length: repeated.merged.size }, (_, i) => merged[Math.floor(i / 2)]!);
    await expectClose(repeated.merged, byHead);
    const kappa = await tf.tidy(() => tf.transpose(tf.reshape(maps.kappa, [2, 2 * keys, -1]), [1, 0, 2])).data(); // [Q*L, h, M]
    const taps = product(p.kernelV);
    const kappaByHead = Float32Array.from({ length: repeated.kappa.size }, (_, i) => {
      const [row, channel, tap] = [Math.floor(i / (4 * taps)), Math.floor(i / taps) % 4, i % taps];
      return kappa[(row * 2 + Math.floor(channel / 2)) * taps + tap]!;
    });
    await expectClose(repeated.kappa, kappaByHead);
  });

  it('computes no other query, and reads nothing back', async () => {
    const p = problem({
      ...{ grid: [14, 14], kernelK: [3, 3], kernelV: [1, 1], stride: 1 },
      ...{ heads: 2, headDim: 1, detectors: 2, seed: 4 },
    });
    const [q, k, , convK, convV] = tensors(p);
    const backend = tf.backend();
    const reads = [vi.spyOn(backend, 'read'), vi.spyOn(backend, 'readSync')];
    const before = tf.memory().numBytes;
    const { peakBytes } = await tf.profile(() =>
      tf.tidy(() => void structureMaps(q, k, convK, convV, { ...p, queries: [100] })),
    );
    const maps = tf.tidy(() => structureMaps(q, k, convK, convV, { ...p, queries: [100] }) as Maps);
    // Some backends copy or multiply by reading their own memory: only a GPU is far away.
    if (name === 'webgpu') for (const read of reads) expect(read).not.toHaveBeenCalled();
    expect(peakBytes - before, 'bytes, beside one map [N, D*L] of one head').toBeLessThan(4 * 196 * 2 * 196);
    expect(maps.attention.shape).toEqual([1, 2, 1, 196, 2]);
    tf.dispose([q, k, convK, convV, ...Object.values(maps)]);
    for (const read of reads) read.mockRestore();
  });

  it('takes a batch and a scale, and leaves its maps and nothing else', async () => {
    const p = problem({
      ...{ grid: [3, 3], kernelK: [3, 3], kernelV: [3, 3], stride: 1 },
      ...{ heads: 2, headDim: 2, detectors: 2, seed: 5 },
    });
    await expectNoLeak(async () => {
      const inputs = tensors(p);
      const [q, k, , convK, convV] = inputs;
      const [twice, both, twiceQ] = [tf.concat([q, q]), tf.concat([k, k]), tf.mul(q, 2)] as [
        tf.Tensor3D,
        tf.Tensor3D,
        tf.Tensor3D,
      ];
      const one = structureMaps(q, k, convK, convV, { ...p, queries: [4] });
      const two = structureMaps(twice, both, convK, convV, { ...p, queries: [4] });
      const half = structureMaps(twiceQ, k, convK, convV, { ...p, queries: [4], scale: 0.5 * 2 ** -0.5 });
      for (const name of ['attention', 'kappa', 'merged'] as const) {
        const expected = await one[name].data();
        await expectClose(two[name], [...expected, ...expected]);
        await expectClose(half[name], expected);
      }
      return [...inputs, twice, both, twiceQ, ...[one, two, half].flatMap((maps) => Object.values(maps))];
    });
  });
});

describeOnBackends('structureSets', () => {
  it('with an inflated filter sees a still clip as its picture, and less of it at the ends', async () => {
    const [frames, kt] = [5, 3];
    const p = problem({
      ...{ grid: [3, 4], kernelK: [3, 3], kernelV: [3, 3], stride: 2 },
      ...{ heads: 2, headDim: 2, detectors: 2, seed: 6 },
    });
    const ofImage = await values(() => {
      const [, k, , convK] = tensors(p);
      return tf.concat(structureSets(k, convK, p.grid, p.stride), 0);
    });
    const ofClip = await values(() => {
      const [, k, , convK] = tensors(p);
      const still = tf.tile(k, [1, frames, 1]);
      const taps = tf.tile(tf.reshape(tf.div(convK, kt), [1, convK.size]), [kt, 1]);
      const inflated = tf.reshape(taps, [kt, ...convK.shape] as tf.Tensor5D['shape']);
      return tf.concat(structureSets(still, inflated as tf.Tensor5D, [frames, 3, 4], p.stride), 0);
    });
    const size = ofImage.length / p.detectors;
    const expected = Array.from({ length: p.detectors }, (_, d) =>
      // Taps of the kernel that lie in the clip: 2 of 3 at the first and the last frame.
      [2 / 3, 1, 1, 1, 2 / 3].flatMap((part) => [...ofImage.subarray(d * size, (d + 1) * size)].map((x) => part * x)),
    );
    await expectClose(ofClip, expected.flat());
  });
});

describeOnPaths('structural keys of a clip', ({ runs }) => {
  it('are the sums of those of its frames, shifted in time by the taps', () =>
    fc.assert(
      fc.asyncProperty(problems({ grid: [3, 2, 3] }), async (p) => {
        const [frames, height, width] = [3, 2, 3] as const;
        const [kt, kh, kw] = p.kernelK as [number, number, number];
        const byFrame = [p.heads, p.detectors, 1, -1];
        const shifted = await values(() => {
          const [, k, , convK] = tensors(p);
          const pictures = tf.split(k, frames, 1) as tf.Tensor3D[];
          const planes = tf.split(tf.reshape(convK, [kt, -1]), kt);
          const layout = { grid: [height, width], heads: p.heads, stride: p.stride };
          const sums = pictures.map((_, t) =>
            planes
              .map((plane, tap) => ({ plane, picture: pictures[t + tap - (kt - 1) / 2] }))
              .filter(({ picture }) => picture !== undefined)
              .map(({ plane, picture }) => {
                const filter = tf.reshape(plane, [kh, kw, p.channels, p.detectors]);
                return tf.reshape(depthwiseTokens(picture!, filter, layout), byFrame);
              })
              .reduce((sum, part) => tf.add(sum, part)),
          );
          return tf.concat(sums, 2);
        });
        const ofClip = await values(() => {
          const [, k, , convK] = tensors(p);
          return depthwiseTokens(k, convK, p);
        });
        await expectClose(ofClip, shifted);
      }),
      runs,
    ));
});

type Maps = StructureMaps & tf.TensorContainerObject;

/** Something of the maps of some queries of a problem. */
function read(
  p: Problem,
  queries: readonly number[],
  choose: (maps: StructureMaps, v: tf.Tensor3D) => tf.Tensor,
): Promise<Float32Array> {
  return values(() => {
    const [q, k, v, convK, convV] = tensors(p);
    return choose(structureMaps(q, k, convK, convV, { ...p, queries }), v);
  });
}
