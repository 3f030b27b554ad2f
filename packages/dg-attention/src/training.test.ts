import { Rng } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { groupSums } from './centroids.ts';
import { DgSelfAttention, type DgSelfAttentionOptions } from './DgSelfAttention.ts';

const [DIM, HEADS] = [8, 2] as const;
const GRID = [3, 4] as const;

const make = (options: Partial<DgSelfAttentionOptions> = {}) =>
  new DgSelfAttention({ dim: DIM, heads: HEADS, groups: 3, topK: 4, ...options });

function tokens(batch = 2, seed = 5): tf.Tensor3D {
  const rng = new Rng(seed);
  return tf.tensor3d(
    Float32Array.from({ length: batch * 12 * DIM }, () => rng.normal()),
    [batch, 12, DIM],
  );
}

const centroids = async (layer: DgSelfAttention) => Array.from((await layer.centroids.read()).data as Float32Array);
const step = (layer: DgSelfAttention, learningRate: number, x = tokens()) => {
  tf.tidy(() => void layer.forward(x, GRID));
  layer.afterStep({ learningRate });
};

/** Three centroids e, -e and e / 10 for each head: whatever the query, one of the first two has a larger product than the last. */
function withEmptyGroup(layer: DgSelfAttention): DgSelfAttention {
  const factors = [1, -1, 0.1];
  const values = Array.from({ length: HEADS }, (_, head) =>
    factors.map((factor) => [0, 1, 2, 3].map((c) => factor * Math.sin(1 + c + head))),
  );
  tf.tidy(() => layer.centroids.variable.assign(tf.tensor(values)));
  return layer;
}

describeOnBackends('the centroids of DgSelfAttention', () => {
  it('stay in evaluation, and in training without a step', async () => {
    const layer = make();
    const before = await centroids(layer);
    layer.eval();
    step(layer, 1);
    layer.train();
    layer.resetCounts();
    tf.tidy(() => void layer.forward(tokens(), GRID));
    expect(await centroids(layer)).toEqual(before);
  });

  it('move by the mean of the normalised queries of their groups', async () => {
    const layer = make();
    const before = await centroids(layer);
    const sums = await meansOf(layer, tokens());
    step(layer, 0.5); // tau = 0.05
    const expected = before.map((e, i) =>
      sums.counts[Math.floor(i / 4)] === 0 ? e : 0.95 * e + 0.05 * sums.means[i]!,
    );
    await expectClose(tf.tensor1d(await centroids(layer)), expected, { tolerance: 2e-6 });
    expect((await layer.usage()).flatMap(({ sizes }) => sizes)).toEqual(sums.counts);
  });

  it.each([
    ['step', 0, 'old'],
    ['literal', 0, 'mean'],
    ['step', 10, 'mean'],
    ['literal', 10, 'old'],
  ] as const)('%s at a learning rate of %d: %s', async (ema, learningRate, outcome) => {
    const layer = make({ ema });
    const before = await centroids(layer);
    const { means, counts } = await meansOf(layer, tokens());
    expect(counts.every((count) => count > 0)).toBe(true);
    step(layer, learningRate);
    if (outcome === 'old') expect(await centroids(layer)).toEqual(before);
    else await expectClose(tf.tensor1d(await centroids(layer)), means, { tolerance: 1e-6 });
  });

  it('of empty groups stay, renormalised or not, and nothing becomes NaN', async () => {
    for (const renormalise of [false, true]) {
      const layer = withEmptyGroup(make({ renormalise, ema: 'literal' }));
      const before = await centroids(layer);
      step(layer, 0.5);
      const after = await centroids(layer);
      expect((await layer.usage()).map(({ empty, sizes }) => [empty, sizes[2]])).toEqual([
        [1, 0],
        [1, 0],
      ]);
      for (const [i, value] of after.entries()) {
        if (i % 12 >= 8) expect(value).toBe(before[i]);
        else expect(Number.isFinite(value)).toBe(true);
      }
      if (renormalise)
        await expectClose(tf.norm(tf.slice(layer.centroids.variable, [0, 0, 0], [-1, 2, -1]), 2, -1), tf.ones([2, 2]));
    }
  });

  it('move by all forward passes since the last step together', async () => {
    const [whole, parts] = [make(), make()];
    const [a, b] = [tokens(1, 6), tokens(1, 7)];
    step(whole, 2, tf.concat([a, b]));
    tf.tidy(() => void parts.forward(a, GRID));
    step(parts, 2, b);
    await expectClose(parts.centroids.variable, whole.centroids.variable, { tolerance: 2e-6 });
    expect(await parts.usage()).toEqual(await whole.usage());
    // The next step knows nothing of them.
    step(parts, 2, b);
    expect((await parts.usage()).map(({ sizes }) => sizes.reduce((x, y) => x + y))).toEqual([12, 12]);
  });

  it('forget what they counted when a state is loaded', async () => {
    const [fresh, used] = [make(), make()];
    tf.tidy(() => void used.forward(tf.fill([1, 12, DIM], Number.NaN), GRID));
    used.loadStateDict(await fresh.stateDict());
    step(used, 0.5);
    step(fresh, 0.5);
    expect(await centroids(used)).toEqual(await centroids(fresh));
    tf.tidy(() => void used.forward(tokens(), GRID));
    used.loadStateDict(await fresh.stateDict());
    used.afterStep({ learningRate: 0.5 });
    expect(await centroids(used)).toEqual(await centroids(fresh));
  });

  it('start as queries of the first batch, if told so, and only where they were neither loaded nor moved', async () => {
    const options = { init: 'queries', rng: new Rng(3) } as const;
    const layer = make(options);
    const random = await centroids(layer);
    const loaded = make({ ...options, rng: new Rng(4) });
    loaded.loadStateDict(await layer.stateDict());
    tf.tidy(() => void layer.eval().forward(tokens(), GRID));
    expect(await centroids(layer)).toEqual(random);
    tf.tidy(() => void layer.train().forward(tokens(), GRID));
    const sampled = await centroids(layer);
    expect(sampled).not.toEqual(random);
    const queries = await unitQueries(layer, tokens());
    for (let row = 0; row < HEADS * 3; row++) {
      const nearest = Math.min(
        ...queries[Math.floor(row / 3)]!.map((q) => Math.hypot(...q.map((x, c) => x - sampled[row * 4 + c]!))),
      );
      expect(nearest).toBeLessThan(1e-6);
    }
    tf.tidy(() => void layer.forward(tokens(2, 9), GRID));
    expect(await centroids(layer)).toEqual(sampled);
    tf.tidy(() => void loaded.forward(tokens(), GRID));
    expect(await centroids(loaded)).toEqual(random);
  });

  it('keep random vectors where the first batch has fewer queries than there are groups', async () => {
    const layer = make({ init: 'queries', groups: 30 });
    const random = await centroids(layer);
    tf.tidy(() => void layer.forward(tokens(), GRID));
    const after = await centroids(layer);
    const kept = after.map((value, i) => value === random[i]);
    expect(kept.slice(24 * 4, 30 * 4).every(Boolean)).toBe(true);
    expect(kept.slice(0, 24 * 4).some(Boolean)).toBe(false);
  });

  it('cost no tensor, however often it runs', async () => {
    const layer = make();
    const x = tokens();
    step(layer, 0.1, x);
    await expectNoLeak(() => {
      for (let i = 0; i < 3; i++) tf.tidy(() => void layer.forward(x, GRID));
      step(layer, 0.1, x);
      return [];
    });
  });
});

/** Means and counts of the queries of each group, row by row. */
async function meansOf(layer: DgSelfAttention, x: tf.Tensor3D): Promise<{ means: number[]; counts: number[] }> {
  const recorded: tf.Tensor3D[] = [];
  layer.recorder = { receive: (maps) => void recorded.push(tf.keep(tf.clone(maps.assignment))) };
  layer.eval();
  tf.tidy(() => void layer.forward(x, GRID));
  layer.train();
  layer.recorder = undefined;
  const assignment = (await recorded[0]?.array()) as number[][][];
  const queries = await unitQueries(layer, x);
  const counts = new Array<number>(HEADS * 3).fill(0);
  const sums = new Array<number>(HEADS * 3 * 4).fill(0);
  for (let head = 0; head < HEADS; head++) {
    assignment
      .flatMap((heads) => heads[head]!)
      .forEach((group, i) => {
        const row = head * 3 + group;
        counts[row]! += 1;
        queries[head]![i]!.forEach((value, c) => {
          sums[row * 4 + c]! += value;
        });
      });
  }
  return { counts, means: sums.map((sum, i) => sum / Math.max(1, counts[Math.floor(i / 4)]!)) };
}

/** q / |q| of each head, over the batch. */
async function unitQueries(layer: DgSelfAttention, x: tf.Tensor3D): Promise<number[][][]> {
  const q = await tf.tidy(() => tf.slice(layer.qkv.forward(x), [0, 0, 0], [-1, -1, DIM])).array();
  return Array.from({ length: HEADS }, (_, head) =>
    q.flat().map((row) => {
      const own = row.slice(head * 4, head * 4 + 4);
      const length = Math.hypot(...own);
      return own.map((value) => value / length);
    }),
  );
}

describeOnBackends('groupSums', () => {
  it('adds up and counts, for each head over the batch, and is a constant to gradients', async () => {
    const q = tf.tensor4d([3, 4, 0, 2, 1, 0, 0, -5, 0, 1, 6, 8, 0, 0, -1, 0], [2, 2, 2, 2]);
    const assignment = tf.tensor3d([1, 1, 0, 2, 1, 0, 2, 2], [2, 2, 2], 'int32');
    const sums = groupSums(q, assignment, 3);
    // Head 0: [.6 .8] and [0 1] in group 1, [0 1] in 1, [.6 .8] in 0; head 1: [1 0] in 0; [0 -1], [0 0], [-1 0] in 2.
    await expectClose(sums, [0.6, 0.8, 1, 0.6, 2.8, 3, 0, 0, 0, 1, 0, 1, 0, 0, 0, -1, -1, 3]);
    const gradient = tf.grad((q) => tf.add(tf.sum(q), tf.sum(groupSums(q as tf.Tensor4D, assignment, 3))))(q);
    await expectClose(gradient, tf.ones(q.shape));
  });
});
