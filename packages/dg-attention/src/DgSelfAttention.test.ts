import { windowed } from '@saccade/nn';
import { ConfigError, Rng, SaccadeError, ShapeError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { DgSelfAttention, type DgSelfAttentionOptions, dgAttention } from './DgSelfAttention.ts';
import { dynamicGroupAttention } from './dynamicGroupAttention.ts';
import type { GroupMaps } from './maps.ts';

const [DIM, HEADS, GROUPS, TOP_K] = [8, 2, 3, 4] as const;
const GRID = [3, 4] as const;
const SMALL = { dim: DIM, heads: HEADS, groups: GROUPS, topK: TOP_K } as const;

const make = (options: Partial<DgSelfAttentionOptions> = {}) => new DgSelfAttention({ ...SMALL, ...options });

function tokens(batch = 1, seed = 5, count = 12): tf.Tensor3D {
  const rng = new Rng(seed);
  return tf.tensor3d(
    Float32Array.from({ length: batch * count * DIM }, () => rng.normal()),
    [batch, count, DIM],
  );
}

const centroids = async (layer: DgSelfAttention) => Array.from((await layer.centroids.read()).data as Float32Array);

describeOnBackends('DgSelfAttention', () => {
  it.each(['dot', 'cosine'] as const)(
    'is the function between its projections, and frees everything: %s',
    async (attention) => {
      await expectNoLeak(async () => {
        const layer = make({ attention }).eval();
        const x = tokens();
        const y = layer.forward(x, GRID);
        const expected = tf.tidy(() => {
          const [q, k, v] = tf.split(layer.qkv.forward(x), 3, -1) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
          const scale = layer.logitScale ? { logitScale: layer.logitScale.variable } : {};
          const own = layer.centroids.variable as unknown as tf.Tensor3D;
          const options = { heads: HEADS, topK: TOP_K, attention, ...scale };
          return layer.proj.forward(dynamicGroupAttention(q, k, v, own, options));
        });
        await expectClose(y, expected);
        layer.dispose();
        layer.dispose();
        return [x, y, expected];
      });
    },
  );

  it('takes everything with it in a state dict, centroids included', async () => {
    const [from, to] = [1, 2].map((seed) => make({ attention: 'cosine', rng: new Rng(seed) }).eval());
    const state = await from!.stateDict();
    expect([...state].map(([name, { shape }]) => [name, shape])).toEqual([
      ['centroids', [HEADS, GROUPS, 4]],
      ['logit_scale', [HEADS, 1, 1]],
      ['qkv.weight', [24, 8]],
      ['qkv.bias', [24]],
      ['proj.weight', [8, 8]],
      ['proj.bias', [8]],
    ]);
    to!.loadStateDict(state);
    await expectClose(to!.forward(tokens(), GRID), from!.forward(tokens(), GRID));
    expect([...make().namedParameters().keys()]).not.toContain('centroids');
  });

  it('starts from unit vectors that its seed decides', async () => {
    const layer = make({ rng: new Rng(7) });
    await expectClose(tf.norm(layer.centroids.variable, 2, -1), tf.ones([HEADS, GROUPS]));
    expect(await centroids(layer)).toEqual(await centroids(make({ rng: new Rng(7) })));
    expect(await centroids(layer)).not.toEqual(await centroids(make({ rng: new Rng(8) })));
  });

  it('hands groups, keys and attention to its recorder', async () => {
    const layer = make();
    let seen: GroupMaps | undefined;
    layer.recorder = {
      queries: [4, 0],
      receive: (maps) => {
        seen = Object.fromEntries(
          Object.entries(maps).map(([name, tensor]) => [name, tf.keep(tf.clone(tensor))]),
        ) as unknown as GroupMaps;
      },
    };
    layer.forward(tokens(2), GRID);
    expect(seen?.assignment.shape).toEqual([2, HEADS, 12]);
    expect(seen?.keys.shape).toEqual([2, HEADS, GROUPS, TOP_K]);
    await expectClose(tf.sum(seen?.attention as tf.Tensor, -1), tf.ones([2, HEADS, 2]));
  });

  it('treats prefix tokens as queries and keys like the others', async () => {
    const layer = make({ prefixTokens: 1 }).eval();
    const x = tokens(1, 5, 13);
    await expectClose(layer.forward(x, GRID), make().eval().forward(x, [1, 13]));
    let attention: tf.Tensor | undefined;
    layer.recorder = { queries: [0], receive: (maps) => (attention = tf.keep(tf.clone(maps.attention as tf.Tensor))) };
    layer.forward(x, GRID);
    expect(attention?.shape).toEqual([1, HEADS, 1, 13]);
  });

  it('works inside windows, which hand it its steps', async () => {
    const mixer = windowed(dgAttention({ groups: 2, topK: 2 }), 2).create({
      dim: DIM,
      heads: HEADS,
      gridRank: 2,
      rng: new Rng(0),
    });
    const before = (await mixer.stateDict()).get('centroids')!.data;
    expect(mixer.forward(tokens(), GRID).shape).toEqual([1, 12, DIM]);
    mixer.afterStep({ learningRate: 1 });
    expect((await mixer.stateDict()).get('centroids')!.data).not.toEqual(before);
    mixer.dispose();
  });

  it('refuses a wrong grid, wrong options, and use after dispose', () => {
    const layer = make();
    expect(() => layer.forward(tokens(), [3, 3])).toThrow(ShapeError);
    layer.dispose();
    expect(() => layer.forward(tokens(), GRID)).toThrow(SaccadeError);
    expect(() => layer.afterStep({ learningRate: 1 })).toThrow(SaccadeError);
    expect(() => make({ heads: 3 })).toThrow(ConfigError);
    expect(() => make({ groups: 0 })).toThrow('groups: expected an integer >= 1, got 0.');
    expect(() => make({ topK: 0 })).toThrow('topK: expected an integer >= 1, got 0.');
    expect(() => make({ tauFactor: Number.NaN })).toThrow('tauFactor');
    expect(() => make({ ema: 'fast' as 'step' })).toThrow('ema');
    expect(() => dgAttention({ init: 'zeros' as 'random' })).toThrow('init');
  });

  it('is made by its mixer, which knows its cost', () => {
    const mixer = dgAttention({ groups: GROUPS, topK: TOP_K, attention: 'cosine' });
    expect(mixer.name).toBe('dg-3-4-cosine');
    const module = mixer.create({ dim: DIM, heads: HEADS, gridRank: 2, qkvBias: false, rng: new Rng(0) });
    expect(module).toBeInstanceOf(DgSelfAttention);
    const cost = mixer.cost({ dim: DIM, heads: HEADS, qkvBias: false, grid: GRID });
    expect(module.parameterCount()).toBe(cost.params);
  });
});
