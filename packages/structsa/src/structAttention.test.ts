import { attention, depthwiseTokens, mergeHeads, product, Rng, splitHeads } from '@saccade/tensor-ops';
import { describeClose, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type StructFilter, structAttention, structureSets } from './structAttention.ts';
import { describeOnPaths } from './testing/paths.ts';
import {
  centredDelta,
  normal,
  type Problem,
  problem,
  problems,
  run,
  takeRows,
  tensors,
  values,
} from './testing/problem.ts';
import { elementForm, paperForm, simplifiedForm } from './testing/reference.ts';

/** A problem large enough to have an interior: 4x5 tokens, 2 heads, D = 3, kernels of different sizes. */
const SIZES = {
  grid: [4, 5],
  heads: 2,
  headDim: 3,
  detectors: 3,
  stride: 1,
  kernelK: [3, 3],
  kernelV: [3, 5],
  seed: 7,
} as const;

describeOnPaths('structAttention', ({ runs }) => {
  /** A property of problems with random sizes. */
  const holds = (arbitrary: fc.Arbitrary<Problem>, property: (p: Problem) => Promise<void>) =>
    fc.assert(fc.asyncProperty(arbitrary, property), runs);

  it('equals the form of the paper, equations (11)-(17), in float64', () =>
    holds(problems(), async (p) => expectClose(await run(p), paperForm(p).y)));

  it('with one detector is ConvSA: attention to convolved keys and values', () =>
    holds(problems({ detectors: 1 }), async (p) => {
      const convolved = await values(() => {
        const [q, k, v, convK, convV] = tensors(p);
        const [keys, values] = [structureSets(k, convK, p.grid, p.stride), structureSets(v, convV, p.grid, p.stride)];
        const [one, two, three] = [q, keys[0]!, values[0]!].map((x) => splitHeads(x, p.heads));
        return mergeHeads(attention(one!, two!, three!));
      });
      await expectClose(await run(p), convolved);
    }));

  it('with filters constant over channels equals equations (2) and (5) on the maps of products', () =>
    holds(problems(), async (drawn) => {
      const p = {
        ...drawn,
        convK: constantOverChannels(drawn.convK, drawn),
        convV: constantOverChannels(drawn.convV, drawn),
      };
      const expected = simplifiedForm(p);
      await expectClose(await run(p), expected);
      // The same filters, stored once for all channels.
      const shared = await values(() => {
        const [q, k, v, convK, convV] = tensors(p);
        return structAttention(q, k, v, firstChannel(convK), firstChannel(convV), p);
      });
      await expectClose(shared, expected);
    }));

  it('correlates channel-wise where aggregators alone are shared', () =>
    holds(problems(), async (drawn) => {
      const p = { ...drawn, convV: constantOverChannels(drawn.convV, drawn) };
      const shared = await values(() => {
        const [q, k, v, convK, convV] = tensors(p);
        return structAttention(q, k, v, convK, firstChannel(convV), p);
      });
      // On a grid of one token the sum over detectors can cancel all but two digits of its terms.
      await expectClose(shared, paperForm(p).y, { tolerance: 2e-5 });
    }));

  it('with 1x1 aggregators is element aggregation, equation (4)', () =>
    holds(
      fc.oneof(problems({ grid: [4, 5], kernelV: [1, 1] }), problems({ grid: [2, 3, 2], kernelV: [1, 1, 1] })),
      async (p) => expectClose(await run(p), elementForm(p)),
    ));

  it('with centred deltas is plain attention, for any D and kernel', () =>
    holds(problems({ stride: 1 }), async (drawn) => {
      const p = {
        ...drawn,
        convK: centredDelta(drawn.kernelK, drawn.channels, drawn.detectors),
        convV: centredDelta(drawn.kernelV, drawn.channels, drawn.detectors),
      };
      const plain = await values(() => {
        const [q, k, v] = tensors(p)
          .slice(0, 3)
          .map((x) => splitHeads(x as tf.Tensor3D, p.heads));
        return mergeHeads(attention(q!, k!, v!));
      });
      await expectClose(await run(p), plain);
    }));

  it('with D equal filters is what it is with one of them', () =>
    holds(problems({ detectors: 1 }), async (p) => {
      const detectors = 3;
      const repeat = (filter: Float32Array) =>
        Float32Array.from({ length: filter.length * detectors }, (_, i) => filter[Math.floor(i / detectors)]!);
      const repeated = { ...p, detectors, convK: repeat(p.convK), convV: repeat(p.convV) };
      await expectClose(await run(repeated), await run(p));
    }));

  it('has one softmax over all detectors, streamed or not', () =>
    holds(problems(), async (p) => {
      const unstreamed = await values(() => {
        const [q, k, v, convK, convV] = tensors(p);
        return mergeHeads(
          attention(splitHeads(q, p.heads), depthwiseTokens(k, convK, p), depthwiseTokens(v, convV, p)),
        );
      });
      await expectClose(await run(p), unstreamed);
    }));

  it('does not care about the order of the detectors', () =>
    holds(problems(), async (p) => {
      const turned = { ...p, convK: turnDetectors(p.convK, p), convV: turnDetectors(p.convV, p) };
      await expectClose(await run(turned), await run(p));
    }));

  it('is linear in the aggregators', () =>
    holds(problems(), async (p) => {
      const other = normal(new Rng(8), p.convV.length, 0.5);
      const mixed = p.convV.map((x, i) => 2 * x - 0.5 * other[i]!);
      const [y, yOther] = [await run(p), await run({ ...p, convV: other })];
      await expectClose(
        await run({ ...p, convV: mixed }),
        y.map((x, i) => 2 * x - 0.5 * yOther[i]!),
      );
    }));

  it('with 1x1 kernels moves with its tokens, for any D', () =>
    holds(
      fc.oneof(
        problems({ grid: [3, 4], kernelK: [1, 1], kernelV: [1, 1], stride: 1 }),
        problems({ grid: [2, 2, 3], kernelK: [1, 1, 1], kernelV: [1, 1, 1], stride: 1 }),
      ),
      async (p) => {
        const moved = shuffled(p);
        await expectClose(await run(moved(p)), moved(p, await run(p)).y);
      },
    ));

  it('mirrors with its tokens and filters along every axis', () =>
    holds(problems({ stride: 1 }), async (p) => {
      const y = await run(p);
      for (let axis = 0; axis < p.grid.length; axis++) {
        const [tokens, filterK, filterV] = [p.grid, p.kernelK, p.kernelV].map((shape) => mirrored(shape, axis));
        const mirror = (x: Float32Array) => takeRows(x, p.channels, tokens!);
        const size = p.channels * p.detectors;
        const image = {
          ...p,
          q: mirror(p.q),
          k: mirror(p.k),
          v: mirror(p.v),
          convK: takeRows(p.convK, size, filterK!),
          convV: takeRows(p.convV, size, filterV!),
        };
        await expectClose(await run(image), mirror(y));
      }
    }));

  it('does not see a shift of all keys through delta detectors', () =>
    holds(problems(), async (drawn) => {
      const p = { ...drawn, convK: centredDelta(drawn.kernelK, drawn.channels, drawn.detectors) };
      await expectClose(await run({ ...p, k: shiftedKeys(p) }), await run(p));
    }));

  it('sees what it should: one order of detectors for both filters, places through kernels, shifts of keys', async () => {
    const p = problem(SIZES);
    const y = await run(p);
    expect(distance(await run({ ...p, convV: turnDetectors(p.convV, p) }), y)).toBeGreaterThan(0.1);
    const moved = shuffled(p);
    expect(distance(await run(moved(p)), moved(p, y).y)).toBeGreaterThan(0.1);
    expect(distance(await run({ ...p, k: shiftedKeys(p) }), y)).toBeGreaterThan(0.1);
  });

  it('treats the samples of a batch alone, takes a scale, and leaves nothing behind', async () => {
    const [one, two] = [problem(SIZES), problem({ ...SIZES, seed: 8 })];
    const expected = await Promise.all([one, { ...two, convK: one.convK, convV: one.convV }].map(run));
    await expectNoLeak(async () => {
      const first = tensors(one);
      const second = tensors(two);
      const pairs = [0, 1, 2].map((i) => tf.concat([first[i]!, second[i]!])) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
      const [convK, convV] = [first[3], first[4]];
      const y = structAttention(...pairs, convK, convV, one);
      await expectClose(y, [...expected[0]!, ...expected[1]!]);
      // Twice the queries at half the scale.
      const twice = tf.mul(pairs[0], 2) as tf.Tensor3D;
      const half = structAttention(twice, pairs[1], pairs[2], convK, convV, { ...one, scale: 0.5 * 3 ** -0.5 });
      await expectClose(half, y);
      const sets = structureSets(pairs[1], convK, one.grid);
      expect(sets).toHaveLength(one.detectors);
      return [...first, ...second, ...pairs, twice, y, half, ...sets];
    });
  });
});

/** The filter of channel 0 in every channel. */
function constantOverChannels(filter: Float32Array, { channels, detectors }: Problem): Float32Array {
  const size = channels * detectors;
  return filter.map((_, i) => filter[i - (i % size) + (i % detectors)]!);
}

function firstChannel(filter: StructFilter): StructFilter {
  const [taps, [channels, detectors]] = [product(filter.shape.slice(0, -2)), filter.shape.slice(-2)];
  const flat = tf.slice(tf.reshape(filter, [taps, channels!, detectors!]), [0, 0, 0], [taps, 1, detectors!]);
  return tf.reshape(flat, [...filter.shape.slice(0, -2), 1, detectors!] as StructFilter['shape']) as StructFilter;
}

/** The problem with its tokens in another order, and values of its positions likewise. */
function shuffled({ grid, channels, seed }: Problem) {
  const order = new Rng(seed).shuffle(Array.from({ length: product(grid) }, (_, i) => i));
  const move = (x: Float32Array) => takeRows(x, channels, order);
  return (p: Problem, y: Float32Array = p.q) => ({ ...p, q: move(p.q), k: move(p.k), v: move(p.v), y: move(y) });
}

/** The keys with the same vector added to each. */
function shiftedKeys({ k, channels }: Problem): Float32Array {
  const shift = normal(new Rng(9), channels);
  return k.map((x, i) => x + shift[i % channels]!);
}

/** Detector d of the result is detector d + 1. */
function turnDetectors(filter: Float32Array, { detectors }: Problem): Float32Array {
  return filter.map((_, i) => filter[i - (i % detectors) + ((i + 1) % detectors)]!);
}

/** The order of the positions of `shape` in which one axis runs backwards. */
function mirrored(shape: readonly number[], axis: number): number[] {
  const step = product(shape.slice(axis + 1));
  const size = shape[axis]!;
  return Array.from({ length: product(shape) }, (_, i) => i + (size - 1 - 2 * (Math.floor(i / step) % size)) * step);
}

/** max |a - b| / max |b| */
function distance(a: Float32Array, b: Float32Array): number {
  return describeClose(a, b).error;
}
