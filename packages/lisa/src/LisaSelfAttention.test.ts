import { windowed } from '@saccade/nn';
import { ConfigError, product, Rng, SaccadeError, ShapeError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { LisaSelfAttention, type LisaSelfAttentionOptions, lisa } from './LisaSelfAttention.ts';
import { lisaAttention } from './lisaAttention.ts';
import { resizeTables } from './resize.ts';
import { normal } from './testing/problem.ts';

const [DIM, HEADS] = [8, 2] as const;
const GRID = [3, 4] as const;
const MODES = ['structure', 'kernelized', 'hadamard'] as const;

function layerOf(options: Partial<LisaSelfAttentionOptions> = {}): LisaSelfAttention {
  return new LisaSelfAttention({ dim: DIM, heads: HEADS, grid: GRID, rng: new Rng(1), ...options });
}

function tokens(count = 12, batch = 2): tf.Tensor3D {
  return tf.tensor3d(normal(new Rng(5), batch * count * DIM), [batch, count, DIM]);
}

/** Tables that are not near zero, projections of the size that training gives them. */
function train(layer: LisaSelfAttention): void {
  const rng = new Rng(11);
  for (const { variable } of layer.namedParameters().values()) {
    tf.tidy(() => variable.assign(tf.tensor(normal(rng, variable.size, 0.4), variable.shape)));
  }
}

describeOnBackends('LisaSelfAttention', () => {
  it.each(MODES)('is the function between its projections: %s', async (mode) => {
    const layer = layerOf({ mode, patterns: 3 });
    train(layer);
    await expectNoLeak(async () => {
      const x = tokens();
      const y = layer.forward(x, GRID);
      const expected = tf.tidy(() => {
        const [q, k, v] = tf.split(layer.qkv.forward(x), 3, -1) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
        return layer.proj.forward(lisaAttention(q, k, v, layer.tables(), { grid: GRID, heads: HEADS }));
      });
      await expectClose(y, expected);
      return [x, y, expected];
    });
    layer.dispose();
  });

  it.each(MODES)('acts with the stored tables and the identity path: %s', async (mode) => {
    const [layer, bare] = [layerOf({ mode, patterns: 2 }), layerOf({ mode, patterns: 2, identity: false })];
    train(layer);
    bare.loadStateDict(await layer.stateDict());
    const values = async (owner: LisaSelfAttention) => {
      const { mode: _, ...tables } = owner.tables();
      return Promise.all(Object.values(tables).map((table: tf.Tensor) => table.data()));
    };
    const [acting, plain] = [await values(layer), await values(bare)];
    const stored = [...(await layer.stateDict())].flatMap(([name, { data }]) =>
      name.startsWith('rpe') ? [data as Float32Array] : [],
    );
    for (const [i, table] of acting.entries()) {
      const own = stored[i] as Float32Array;
      await expectClose(plain[i] as Float32Array, mode === 'kernelized' ? own.map(Math.exp) : own);
      // 5x7 offsets, 0 in the middle, 17.
      const rows = { structure: [0, 2], kernelized: [], hadamard: [0, 1, 2, 3, 4, 5, 6, 7] }[mode];
      const expected = (plain[i] as Float32Array).slice();
      for (const row of rows) expected[row * 35 + 17] = (expected[row * 35 + 17] as number) + 1;
      await expectClose(table as Float32Array, expected);
    }
  });

  it('resizes its tables where the grid is another one', async () => {
    const layer = layerOf({ patterns: 2 });
    train(layer);
    const [to, x] = [[4, 2] as const, tokens(8)];
    await expectNoLeak(async () => {
      const y = layer.forward(x, to);
      const expected = tf.tidy(() => {
        const [p, u] = ['rpe_p', 'rpe_u'].map((name) =>
          resizeTables(layer.namedParameters().get(name)?.variable as tf.Tensor, { from: GRID, to }),
        );
        const other = layerOf({ grid: to, patterns: 2 });
        other.qkv.weight.variable.assign(layer.qkv.weight.variable);
        other.qkv.bias?.variable.assign(layer.qkv.bias?.variable as tf.Variable);
        other.proj.weight.variable.assign(layer.proj.weight.variable);
        other.proj.bias?.variable.assign(layer.proj.bias?.variable as tf.Variable);
        other
          .namedParameters()
          .get('rpe_p')
          ?.variable.assign(p as tf.Tensor);
        other
          .namedParameters()
          .get('rpe_u')
          ?.variable.assign(u as tf.Tensor);
        const result = other.forward(x, to);
        other.dispose();
        return result;
      });
      await expectClose(y, expected);
      return [y, expected];
    });
    // The stored tables get gradients through it.
    const { value, grads } = tf.variableGrads(() => tf.mean(tf.square(layer.forward(x, to))));
    const name = layer.namedParameters().get('rpe_u')?.variable.name as string;
    expect((await tf.max(tf.abs(grads[name] as tf.Tensor)).data())[0]).toBeGreaterThan(1e-4);
    tf.dispose([value, grads, x]);
    layer.dispose();
  });

  it('computes the same after its state has gone through a state dict, on clips and lines too', async () => {
    for (const grid of [[12], [2, 2, 3]] as const) {
      const [from, to] = [layerOf({ grid, patterns: 3 }), layerOf({ grid, patterns: 3, rng: new Rng(2) })];
      const state = await from.stateDict();
      const offsets = grid.map((size) => 2 * size - 1);
      expect(Object.fromEntries([...state].map(([name, { shape }]) => [name, shape]))).toEqual({
        'qkv.weight': [24, 8],
        'qkv.bias': [24],
        'proj.weight': [8, 8],
        'proj.bias': [8],
        rpe_p: [2, 3, ...offsets],
        rpe_u: [2, 3, ...offsets],
      });
      to.loadStateDict(state);
      await expectClose(to.forward(tokens(), grid), from.forward(tokens(), grid));
    }
  });

  it('works inside windows, with tables of their size', async () => {
    const spec = windowed(lisa({ patterns: 2 }), [2, 3]);
    const mixer = spec.create({ dim: DIM, heads: HEADS, gridRank: 2, grid: [4, 6], rng: new Rng(1) });
    expect(mixer.namedParameters().get('rpe_p')?.torchShape).toEqual([2, 2, 3, 5]);
    expect(mixer.parameterCount()).toBe(spec.cost({ dim: DIM, heads: HEADS, grid: [4, 6] }).params);
    const x = tokens(24);
    await expectNoLeak(() => mixer.forward(x, [4, 6]));
    // The windows of images are known without a grid; those of clips have its frames.
    const context = { dim: DIM, heads: HEADS, rng: new Rng(1) };
    expect(spec.create({ ...context, gridRank: 2 }).parameterCount()).toBe(mixer.parameterCount());
    expect(() => spec.create({ ...context, gridRank: 3 })).toThrow(/grid: expected the grid of the tokens, for LiSA/);
    expect(
      spec
        .create({ ...context, gridRank: 3, grid: [2, 4, 6] })
        .namedParameters()
        .get('rpe_u')?.torchShape,
    ).toEqual([2, 2, 3, 3, 5]);
  });

  it('hands maps of chosen queries to its recorder', async () => {
    const layer = layerOf({ patterns: 3 });
    const shapes: unknown[] = [];
    await expectNoLeak(() => {
      layer.recorder = {
        queries: [4, 0],
        receive: ({ kernel, attention, patterns }) => shapes.push(kernel.shape, attention?.shape, patterns?.shape),
      };
      const x = tokens();
      return [x, layer.forward(x, GRID)];
    });
    expect(shapes).toEqual([
      [2, 2, 2, 12],
      [2, 2, 2, 12],
      [2, 2, 2, 3],
    ]);
  });
});

describe('LisaSelfAttention', () => {
  beforeAll(async () => {
    await setupBackend('cpu');
  });

  it('exempts its tables from weight decay, and nothing else', () => {
    for (const mode of MODES) {
      const exempt = [...layerOf({ mode }).namedParameters()].flatMap(([name, { decay }]) => (decay ? [] : [name]));
      expect(exempt).toEqual({ structure: ['rpe_p', 'rpe_u'], kernelized: ['rpe_r'], hadamard: ['rpe_c'] }[mode]);
    }
  });

  it('starts with tables of 0.25/sqrt(N), those of mode kernelized at zero', async () => {
    const spread = async (options: Partial<LisaSelfAttentionOptions>) => {
      const table = [...layerOf(options).namedParameters()].find(([name]) => name.startsWith('rpe'))?.[1].variable;
      const values = (await (table as tf.Variable).data()) as Float32Array;
      return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
    };
    for (const grid of [
      [8, 8],
      [16, 16],
    ]) {
      const expected = 0.25 / Math.sqrt(product(grid));
      for (const mode of ['structure', 'hadamard'] as const) {
        expect((await spread({ grid, mode })) / expected).toBeCloseTo(1, 1);
      }
      expect(await spread({ grid, mode: 'kernelized' })).toBe(0);
    }
  });

  it('refuses wrong grids, tokens, options, and use after dispose', () => {
    const layer = layerOf();
    expect(() => layer.forward(tokens(), [3, 3])).toThrow(ShapeError);
    expect(() => layer.forward(tokens(), [2, 2, 3])).toThrow(/grid: expected 2 axes, as the tables of this layer have/);
    expect(() => layer.forward(tf.zeros([1, 12, 6]), GRID)).toThrow(ShapeError);
    expect(() => layerOf({ patterns: 0 })).toThrow(ConfigError);
    expect(() => layerOf({ heads: 3 })).toThrow(ConfigError);
    expect(() => layerOf({ grid: [0, 2] })).toThrow(ConfigError);
    expect(() => layerOf({ mode: 'soft' as never })).toThrow(/mode: expected "structure"/);
    layer.dispose();
    expect(() => layer.forward(tokens(), GRID)).toThrow(SaccadeError);
  });
});

describe('lisa', () => {
  beforeAll(async () => {
    await setupBackend('cpu');
  });

  const context = { dim: DIM, heads: HEADS, gridRank: 2, rng: new Rng(0) } as const;

  it.each(MODES)('makes layers, and knows their cost: %s', (mode) => {
    for (const padding of ['zero', 'circular'] as const) {
      const mixer = lisa({ mode, padding, patterns: 3 });
      expect(mixer.name).toBe(`lisa-${mode}${mode === 'structure' ? '-3' : ''}-${padding}`);
      const module = mixer.create({ ...context, grid: GRID, qkvBias: false });
      expect(module).toBeInstanceOf(LisaSelfAttention);
      const cost = mixer.cost({ dim: DIM, heads: HEADS, grid: [6, 8], weightsGrid: GRID, qkvBias: false });
      expect(module.parameterCount()).toBe(cost.params);
    }
  });

  it('says what it needs: a grid, and no class token', () => {
    expect(() => lisa().create(context)).toThrow(/grid: .*give the backbone an `inputSize`, such as \[224, 224\]/);
    expect(() => lisa().create({ ...context, grid: GRID, prefixTokens: 1 })).toThrow(/use mean pooling/);
    expect(() => lisa().create({ ...context, grid: [2, 3, 4] })).toThrow(/grid: expected 2 axes/);
    expect(lisa().takesPrefixTokens).toBeUndefined();
  });

  it('refuses options where they are written', () => {
    expect(() => lisa({ patterns: 1.5 })).toThrow(ConfigError);
    expect(() => lisa({ padding: 'same' as never })).toThrow(ConfigError);
    expect(() => lisa({ compute: 'gpu' as never })).toThrow(ConfigError);
    expect(() => lisa({ qkNorm: 'l1' as never })).toThrow(ConfigError);
  });
});
