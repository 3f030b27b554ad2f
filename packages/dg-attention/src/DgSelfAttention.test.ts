import { ConfigError, Rng, SaccadeError, ShapeError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { DgSelfAttention, dgMixer } from './DgSelfAttention.ts';
import { dgAttention } from './dgAttention.ts';

const [DIM, HEADS] = [8, 2] as const;
const GRID = [2, 3] as const;

function clip(): tf.Tensor3D {
  const rng = new Rng(5);
  return tf.tensor3d(
    Float32Array.from({ length: 6 * DIM }, () => rng.normal()),
    [1, 6, DIM],
  );
}

describeOnBackends('DgSelfAttention', () => {
  it('is the function between its projections, and frees everything', async () => {
    await expectNoLeak(async () => {
      const layer = new DgSelfAttention({ dim: DIM, heads: HEADS });
      const x = clip();
      const y = layer.forward(x, GRID);
      const expected = tf.tidy(() => {
        const [q, k, v] = tf.split(layer.qkv.forward(x), 3, -1) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
        return layer.proj.forward(dgAttention(q, k, v, { grid: GRID, heads: HEADS }));
      });
      await expectClose(y, expected);
      layer.dispose();
      return [x, y, expected];
    });
  });

  it('computes the same after its state has gone through a state dict', async () => {
    const [from, to] = [1, 2].map((seed) => new DgSelfAttention({ dim: DIM, heads: HEADS, rng: new Rng(seed) }));
    const state = await from!.stateDict();
    expect([...state.keys()]).toEqual(['qkv.weight', 'qkv.bias', 'proj.weight', 'proj.bias']);
    to!.loadStateDict(state);
    await expectClose(to!.forward(clip(), GRID), from!.forward(clip(), GRID));
  });

  it('hands the attention of chosen queries to its recorder', async () => {
    const layer = new DgSelfAttention({ dim: DIM, heads: HEADS });
    const sums: tf.Tensor[] = [];
    layer.recorder = { queries: [4, 0, 5], receive: (maps) => sums.push(tf.keep(tf.sum(maps, -1))) };
    layer.forward(clip(), GRID);
    expect(sums.map((sum) => sum.shape)).toEqual([[1, HEADS, 3]]);
    await expectClose(sums[0]!, tf.ones([1, HEADS, 3]));
  });

  it('refuses a wrong grid, wrong heads, and use after dispose', () => {
    const layer = new DgSelfAttention({ dim: DIM, heads: HEADS });
    expect(() => layer.forward(clip(), [3, 3])).toThrow(ShapeError);
    layer.dispose();
    expect(() => layer.forward(clip(), GRID)).toThrow(SaccadeError);
    expect(() => new DgSelfAttention({ dim: DIM, heads: 3 })).toThrow(ConfigError);
  });

  it('is made by its mixer, which knows its cost', () => {
    const mixer = dgMixer();
    const module = mixer.create({ dim: DIM, heads: HEADS, gridRank: 2, rng: new Rng(0) });
    expect(module).toBeInstanceOf(DgSelfAttention);
    expect(module.parameterCount()).toBe(mixer.cost({ dim: DIM, heads: HEADS, grid: GRID }).params);
  });
});
