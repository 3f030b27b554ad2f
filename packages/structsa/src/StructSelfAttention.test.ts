import { SelfAttention } from '@saccade/nn';
import { ConfigError, product, Rng, SaccadeError, ShapeError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import type { StructureMaps } from './maps.ts';
import {
  type StructSAOptions,
  StructSelfAttention,
  type StructSelfAttentionOptions,
  type StructureRecorder,
  structSA,
} from './StructSelfAttention.ts';
import { structAttention } from './structAttention.ts';
import { centredDelta, normal } from './testing/problem.ts';

const [DIM, HEADS] = [8, 2] as const;
const IMAGE = [3, 4] as const;
const CLIP = [2, 3, 2] as const;

/** Tokens [2, 12, C], the number of positions of both grids. */
function tokens(seed = 5): tf.Tensor3D {
  return tf.tensor3d(normal(new Rng(seed), 2 * 12 * DIM), [2, 12, DIM]);
}

function layerOf(options: Partial<StructSelfAttentionOptions> = {}): StructSelfAttention {
  return new StructSelfAttention({ dim: DIM, heads: HEADS, rng: new Rng(1), ...options });
}

/** Projections with numbers of the size that training gives them: ours start so small that attention is uniform. */
function sharpen(layer: StructSelfAttention | SelfAttention): void {
  const rng = new Rng(11);
  for (const { variable } of [layer.qkv.weight, layer.qkv.bias!, layer.proj.weight, layer.proj.bias!]) {
    tf.tidy(() => variable.assign(tf.tensor(normal(rng, variable.size, 0.5), variable.shape)));
  }
}

function setDelta({ weight: { variable } }: StructSelfAttention['convK']): void {
  const [channels, detectors] = variable.shape.slice(-2) as [number, number];
  const filter = centredDelta(variable.shape.slice(0, -2), channels, detectors);
  tf.tidy(() => variable.assign(tf.tensor(filter, variable.shape)));
}

describeOnBackends('StructSelfAttention', () => {
  it.each([
    ['D = 1, images', { detectors: 1 }, IMAGE],
    ['D = 4, kernels 5 and 3', { detectors: 4, kernelK: 5 }, IMAGE],
    ['D = 3, shared filters', { detectors: 3, sharedFilters: 'kv' }, IMAGE],
    ['D = 2, clips, kernels of their own', { detectors: 2, kernelK: [1, 3, 5], kernelV: [3, 3, 3] }, CLIP],
  ] satisfies [string, StructSAOptions, unknown][])(
    'with centred deltas is plain attention with the same weights: %s',
    async (_, options, grid) => {
      await expectNoLeak(async () => {
        const plain = new SelfAttention({ dim: DIM, heads: HEADS, rng: new Rng(2) });
        sharpen(plain);
        const layer = layerOf({ ...options, gridRank: grid.length as 2 | 3 });
        const report = layer.loadStateDict(await plain.stateDict(), { strict: false });
        expect(report.missing).toEqual(['conv_k.weight', 'conv_v.weight']);
        for (const filters of [layer.convK, layer.convV]) setDelta(filters);
        const x = tokens();
        const [y, expected] = [layer.forward(x, grid), plain.forward(x, grid)];
        await expectClose(y, expected);
        layer.dispose();
        plain.dispose();
        return [x, y, expected];
      });
    },
  );

  it.each(
    (
      [
        ['full', { detectors: 2 }],
        ['ConvSA', { detectors: 1 }],
        ['element aggregation', { detectors: 2, kernelV: 1 }],
        ['channel-wise correlation, shared aggregation', { detectors: 2, sharedFilters: 'v' }],
        ['dot-product correlation, shared aggregation', { detectors: 2, sharedFilters: 'kv' }],
        ['strided keys and values, kernels of two sizes', { detectors: 2, stride: 2, kernelK: 1, sharedFilters: 'v' }],
      ] satisfies [string, StructSAOptions][]
    ).flatMap(([form, options]) => [
      [form, 'images', options, IMAGE] as const,
      [form, 'clips', options, CLIP] as const,
    ]),
  )('is the function between its projections: %s, %s', async (_, __, options: StructSAOptions, grid) => {
    const layer = layerOf({ ...options, gridRank: grid.length as 2 | 3 });
    sharpen(layer);
    const [kernelV, shared] = [options.kernelV ?? 3, options.sharedFilters ?? 'none'];
    expect(layer.convV.value.shape).toEqual([
      ...Array(grid.length).fill(kernelV),
      shared === 'none' ? DIM : 1,
      options.detectors,
    ]);
    expect(layer.convK.value.shape.at(-2)).toBe(shared === 'kv' ? 1 : DIM);
    await expectNoLeak(async () => {
      const x = tokens();
      const expected = tf.tidy(() => {
        const [q, k, v] = tf.split(layer.qkv.forward(x), 3, -1) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
        const layout = { grid, heads: HEADS, stride: options.stride ?? 1 };
        return layer.proj.forward(structAttention(q, k, v, layer.convK.value, layer.convV.value, layout));
      });
      const y = layer.forward(x, grid);
      await expectClose(y, expected);
      return [x, y, expected];
    });
    layer.dispose();
  });

  it('does not see the bias of the keys through delta detectors, and does through others', async () => {
    const x = tokens();
    for (const delta of [true, false]) {
      const layer = layerOf();
      sharpen(layer);
      if (delta) setDelta(layer.convK);
      const before = layer.forward(x, IMAGE);
      const shift = tf.tensor([...Array(3 * DIM).keys()].map((c) => (c >= DIM && c < 2 * DIM ? Math.sin(c) : 0)));
      const bias = layer.qkv.bias!.variable;
      bias.assign(tf.add(bias, shift));
      const change = tf.max(tf.abs(tf.sub(layer.forward(x, IMAGE), before)));
      const [largest] = await change.data();
      if (delta) expect(largest).toBeLessThan(1e-5);
      else expect(largest).toBeGreaterThan(1e-2);
    }
  });

  it('computes the same after its state has gone through a state dict', async () => {
    const options = { detectors: 3, gridRank: 3, kernelV: [3, 1, 3] } as const;
    const [from, to] = [layerOf(options), layerOf({ ...options, rng: new Rng(2) })];
    const state = await from.stateDict();
    expect(Object.fromEntries([...state].map(([name, { shape }]) => [name, shape]))).toEqual({
      'qkv.weight': [24, 8],
      'qkv.bias': [24],
      'proj.weight': [8, 8],
      'proj.bias': [8],
      'conv_k.weight': [24, 1, 3, 3, 3],
      'conv_v.weight': [24, 1, 3, 1, 3],
    });
    const y = from.forward(tokens(), CLIP);
    const other = tf.max(tf.abs(tf.sub(to.forward(tokens(), CLIP), y)));
    expect((await other.data())[0]).toBeGreaterThan(0);
    to.loadStateDict(state);
    await expectClose(to.forward(tokens(), CLIP), y);
  });

  it('stores shared filters once, [D, 1, ...kernel]', async () => {
    const shapes = async (sharedFilters: 'v' | 'kv') => {
      const state = await layerOf({ detectors: 2, sharedFilters }).stateDict();
      return ['conv_k.weight', 'conv_v.weight'].map((name) => state.get(name)?.shape);
    };
    expect(await shapes('v')).toEqual([[16, 1, 3, 3], [2, 1, 3, 3]]); // biome-ignore format: one row
    expect(await shapes('kv')).toEqual([[2, 1, 3, 3], [2, 1, 3, 3]]); // biome-ignore format: one row
  });

  it('hands the maps of chosen queries to its recorder during a forward pass, and frees them', async () => {
    class Sums implements StructureRecorder {
      readonly queries = [4, 0, 11];
      readonly kept: tf.Tensor[] = [];
      maps: StructureMaps | undefined;
      receive(maps: StructureMaps): void {
        this.maps = maps;
        this.kept.push(tf.keep(tf.sum(maps.attention, [3, 4])));
      }
    }
    const layer = layerOf({ detectors: 2, stride: 2 });
    const recorder = new Sums();
    await expectNoLeak(async () => {
      const x = tokens();
      const silent = layer.forward(x, IMAGE);
      layer.recorder = recorder;
      const y = layer.forward(x, IMAGE);
      layer.recorder = undefined;
      const again = layer.forward(x, IMAGE);
      await expectClose(y, silent);
      expect(recorder.kept).toHaveLength(1);
      await expectClose(recorder.kept[0]!, new Float32Array(2 * HEADS * 3).fill(1));
      return [x, silent, y, again, ...recorder.kept];
    });
    const { attention, kappa, merged } = recorder.maps!;
    expect([attention, kappa, merged].map((map) => [map.shape, map.isDisposed])).toEqual([
      [[2, HEADS, 3, 4, 2], true],
      [[2, 3, 4, DIM, 9], true],
      [[2, 3, 12, DIM], true],
    ]);
  });

  it('has gradients for the input and every weight', async () => {
    for (const [options, grid] of [
      [{}, IMAGE],
      [{ gridRank: 3, stride: 2, sharedFilters: 'kv' }, CLIP],
    ] as const) {
      // biome-ignore format: a row a case
      const layer = layerOf({ detectors: 2, ...options });
      sharpen(layer);
      const x = tf.variable(tokens());
      const parameters = [...layer.namedParameters()];
      const wanted = [x, ...parameters.map(([, { variable }]) => variable)];
      const { grads } = tf.variableGrads(() => tf.sum(tf.square(layer.forward(x as tf.Tensor3D, grid))), wanted);
      for (const [name, variable] of [['x', x] as const, ...parameters.map(([n, p]) => [n, p.variable] as const)]) {
        const gradient = grads[variable.name]!;
        expect(gradient.shape, name).toEqual(variable.shape);
        expect(Math.max(...(await gradient.data()).map(Math.abs)), name).toBeGreaterThan(1e-4);
      }
      x.dispose();
    }
  });
});

describeOnBackends(
  'StructSelfAttention',
  () => {
    it('starts from its seed, filters as PyTorch convolutions', async () => {
      const weights = async (seed: number) => (await layerOf({ rng: new Rng(seed) }).stateDict()).get('conv_k.weight')!;
      const [a, b, c] = [await weights(3), await weights(3), await weights(4)];
      expect(a).toEqual(b);
      expect(a.data).not.toEqual(c.data);
      const largest = Math.max(...(a.data as Float32Array).map(Math.abs));
      expect(largest).toBeLessThanOrEqual(1 / 3); // 1 / sqrt(9 taps)
      expect(largest).toBeGreaterThan(0.3);
    });

    it('takes the documented defaults', () => {
      const layer = new StructSelfAttention({ dim: 64, heads: 1 });
      expect(layer.convK.weight.variable.shape).toEqual([3, 3, 64, 4]);
      expect(layer.convV.weight.variable.shape).toEqual([3, 3, 64, 4]);
      expect(layer.qkv.bias).toBeDefined();
      expect(layerOf({ qkvBias: false }).qkv.bias).toBeUndefined();
    });

    it.each([
      [{ heads: 3 }, /^heads: .*divides dim = 8, got 3/],
      [{ detectors: 0 }, /^detectors: expected an integer >= 1, got 0/],
      [{ detectors: 1.5 }, /^detectors: .*got 1.5/],
      [{ stride: 0 }, /^stride: expected an integer >= 1, got 0/],
      [{ kernelK: 2 }, /^kernelK: expected an odd size, .*got 2/],
      [{ kernelV: [3, 4] }, /^kernelV: .*got \[3,4\]/],
      [{ kernelV: [3, 3, 3] }, /^kernelV: .*2 odd sizes on a grid of 2 axes, got \[3,3,3\]/],
      [{ kernelK: [3, 3], gridRank: 3 }, /^kernelK: .*3 odd sizes on a grid of 3 axes, got \[3,3\]/],
      [{ kernelK: -1 }, /^kernelK: .*got -1/],
    ] satisfies [Partial<StructSelfAttentionOptions>, RegExp][])('refuses the options %j', (options, message) => {
      expect(() => layerOf(options)).toThrow(ConfigError);
      expect(() => layerOf(options)).toThrow(message);
    });

    it('refuses inputs that do not fit, and use after dispose', () => {
      const layer = layerOf();
      const x = tokens();
      expect(() => layer.forward(x, [3, 3])).toThrow(ShapeError);
      expect(() => layer.forward(x, [3, 3])).toThrow(/^grid: .*N = 12, got \[3,3\] = 9 positions/);
      expect(() => layer.forward(x, CLIP)).toThrow(/^grid: expected \[H,W\], since gridRank is 2, got \[2,3,2\]/);
      expect(() => layer.forward(tf.zeros([2, 12, 6]), IMAGE)).toThrow(/^x: expected shape .*8\], got \[2,12,6\]/);
      expect(() => layer.forward(tf.zeros([12, 8]) as unknown as tf.Tensor3D, IMAGE)).toThrow(ShapeError);
      expect(() => layer.forward(tf.zeros([2, 3, 4, 8]) as unknown as tf.Tensor3D, IMAGE)).toThrow(ShapeError);
      layer.dispose();
      layer.dispose();
      expect(() => layer.forward(x, IMAGE)).toThrow(SaccadeError);
    });

    it('is made by its mixer, which knows its name and cost', async () => {
      for (const [options, gridRank] of [
        [{}, 2],
        [{ detectors: 2, stride: 2, kernelK: 5, sharedFilters: 'kv' }, 3],
      ] as const) {
        // biome-ignore format: a row a case
        const mixer = structSA(options);
        const module = mixer.create({ dim: DIM, heads: HEADS, gridRank, rng: new Rng(0) }) as StructSelfAttention;
        expect(module).toBeInstanceOf(StructSelfAttention);
        const grid = gridRank === 2 ? IMAGE : CLIP;
        expect(mixer.cost({ dim: DIM, heads: HEADS, grid }).params).toBe(module.parameterCount());
        expect(mixer.name).toBe(gridRank === 2 ? 'structsa-4-1' : 'structsa-2-2');
        expect(product(module.convK.weight.variable.shape)).toBe(gridRank === 2 ? 9 * DIM * 4 : 125 * 2);
      }
      expect(() => structSA({ detectors: 0 }).create({ dim: 8, heads: 2, gridRank: 2, rng: new Rng(0) })).toThrow(
        ConfigError,
      );
    });
  },
  { backends: ['wasm'] },
);
