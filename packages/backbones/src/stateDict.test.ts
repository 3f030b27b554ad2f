import type { StateTensor } from '@saccade/nn';
import { StateDictError } from '@saccade/nn';
import { structSA } from '@saccade/structsa';
import { setupBackend } from '@saccade/tensor-ops/node';
import { expectClose } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Backbone, createBackbone } from './Backbone.ts';
import { noise, stir, take, tinyConfig, tinyStructConfig } from './testing/tiny.ts';

beforeAll(async () => {
  await setupBackend('wasm');
});

const NORM = ['weight', 'bias', 'running_mean', 'running_var'];

/**
 * Names and PyTorch shapes of a network of UniFormer's plan: the table of specification section 5, row by row.
 *
 * @param detectors of StructSA in stages 3 and 4; 0 for plain attention
 */
function specifiedShapes(rank: 2 | 3, detectors: number, layerScale: boolean): Record<string, number[]> {
  const [depths, dims, classes] = [[1, 1, 2, 1], [8, 8, 16, 16], 10];
  const time = (size: number) => (rank === 3 ? [size] : []);
  const shapes: Record<string, number[]> = {};
  const vectors = (prefix: string, names: string[], size: number) => {
    for (const name of names) shapes[`${prefix}.${name}`] = [size];
  };
  const batchNorm = (prefix: string, size: number) => {
    vectors(prefix, NORM, size);
    shapes[`${prefix}.num_batches_tracked`] = [];
  };
  dims.forEach((dim, s) => {
    const inputs = dims[s - 1] ?? 3;
    const p = s === 0 ? 4 : 2;
    const embed = `patch_embed${s + 1}`;
    shapes[`${embed}.proj.weight`] = [dim, inputs, ...time(s === 0 ? 3 : 1), p, p];
    vectors(embed, ['proj.bias', 'norm.weight', 'norm.bias'], dim);
    for (let i = 0; i < depths[s]!; i++) {
      const block = `blocks${s + 1}.${i}`;
      shapes[`${block}.pos_embed.weight`] = [dim, 1, ...time(3), 3, 3];
      vectors(block, ['pos_embed.bias', 'mlp.fc2.bias'], dim);
      vectors(block, ['mlp.fc1.bias'], 4 * dim);
      if (s < 2) {
        const ones = [...time(1), 1, 1];
        for (const norm of ['norm1', 'norm2']) batchNorm(`${block}.${norm}`, dim);
        for (const conv of ['conv1', 'conv2']) shapes[`${block}.${conv}.weight`] = [dim, dim, ...ones];
        shapes[`${block}.attn.weight`] = [dim, 1, ...time(5), 5, 5];
        vectors(block, ['conv1.bias', 'attn.bias', 'conv2.bias'], dim);
        shapes[`${block}.mlp.fc1.weight`] = [4 * dim, dim, ...ones];
        shapes[`${block}.mlp.fc2.weight`] = [dim, 4 * dim, ...ones];
      } else {
        vectors(block, ['norm1.weight', 'norm1.bias', 'norm2.weight', 'norm2.bias', 'attn.proj.bias'], dim);
        if (layerScale) vectors(block, ['gamma_1', 'gamma_2'], dim);
        shapes[`${block}.attn.qkv.weight`] = [3 * dim, dim];
        shapes[`${block}.attn.qkv.bias`] = [3 * dim];
        shapes[`${block}.attn.proj.weight`] = [dim, dim];
        shapes[`${block}.mlp.fc1.weight`] = [4 * dim, dim];
        shapes[`${block}.mlp.fc2.weight`] = [dim, 4 * dim];
        for (const conv of detectors > 0 ? ['conv_k', 'conv_v'] : []) {
          shapes[`${block}.attn.${conv}.weight`] = [dim * detectors, 1, ...time(3), 3, 3];
        }
      }
    }
  });
  batchNorm('norm', dims[3]!);
  shapes['head.weight'] = [classes, dims[3]!];
  shapes['head.bias'] = [classes];
  return shapes;
}

describe('state dicts', () => {
  it.each([
    [2, 0, false],
    [2, 2, true],
    [3, 0, true],
    [3, 2, false],
  ] as const)(
    'have UniFormer names and PyTorch shapes: %i axes, D = %i, layer scale %s',
    async (rank, detectors, scaled) => {
      const config = detectors === 0 ? tinyConfig(rank) : tinyConfig(rank, structSA({ detectors }));
      const state = await createBackbone({ ...config, ...(scaled ? { layerScale: 1e-6 } : {}) }).stateDict();
      const shapes = Object.fromEntries([...state].map(([name, { shape }]) => [name, shape]));
      expect(shapes).toEqual(specifiedShapes(rank, detectors, scaled));
      for (const [name, { dtype, data, shape }] of state) {
        expect(dtype, name).toBe(name.endsWith('num_batches_tracked') ? 'int64' : 'float32');
        expect(data.length, name).toBe(shape.reduce((product, size) => product * size, 1));
      }
    },
  );

  it('carry a network from one model to another', async () => {
    const [from, to] = [1, 2].map((seed) => createBackbone({ ...tinyStructConfig(3), seed }).eval()) as [
      Backbone,
      Backbone,
    ];
    stir(from);
    from.train().forward(noise([1, 4, 32, 32, 3]));
    from.eval();
    expect(to.loadStateDict(await from.stateDict())).toEqual({ missing: [], unexpected: [], misshapen: [] });
    const x = noise([1, 4, 32, 32, 3], 3);
    expect(await take(to.forward(x))).toEqual(await take(from.forward(x)));
  });

  it('of another class count or mixer are refused as a whole, with a report', async () => {
    const model = createBackbone(tinyConfig(2));
    const before = await model.stateDict();
    const other = await createBackbone({ ...tinyStructConfig(2), numClasses: 7, seed: 9 }).stateDict();
    const load = () => model.loadStateDict(other);
    expect(load).toThrow(StateDictError);
    expect(load).toThrow(/head\.weight: expected \[10,16\], got \[7,16\]/);
    expect(load).toThrow(/6 unexpected in the state dict:\n {2}blocks3\.0\.attn\.conv_k\.weight/);
    expect(await model.stateDict()).toEqual(before);
  });
});

describe("a UniFormer's weights in a StructViT with delta filters", () => {
  it.each([
    [2, [2, 64, 64, 3], {}],
    [2, [1, 45, 70, 3], { kernelK: 5, kernelV: 1 }],
    [3, [1, 6, 64, 64, 3], {}],
  ] as const)('give the same logits: %i axes, %j, StructSA %j', async (rank, shape, options) => {
    const uniformer = createBackbone({ ...tinyConfig(rank), layerScale: 0.7 });
    stir(uniformer);
    const structvit = createBackbone({ ...tinyConfig(rank, structSA({ detectors: 3, ...options })), layerScale: 0.1 });
    const state: Map<string, StateTensor> = await uniformer.stateDict();
    for (const [name, { shape }] of await structvit.stateDict()) {
      if (!/conv_[kv]/.test(name)) continue;
      const taps = shape.slice(2).reduce((product, size) => product * size, 1);
      const data = new Float32Array(shape[0]! * taps);
      for (let filter = 0; filter < shape[0]!; filter++) data[filter * taps + (taps - 1) / 2] = 1;
      state.set(name, { dtype: 'float32', shape, data });
    }
    structvit.loadStateDict(state);
    const x = noise(shape);
    const logits = (model: Backbone) => take(model.eval().forward(x));
    await expectClose(await logits(structvit), await logits(uniformer));
    // And any other filters do not.
    const { variable } = structvit.namedParameters().get('blocks3.0.attn.conv_v.weight')!;
    tf.tidy(() => variable.assign(tf.mul(variable, 1.5)));
    await expect(expectClose(await logits(structvit), await logits(uniformer), { tolerance: 1e-4 })).rejects.toThrow();
  });
});
