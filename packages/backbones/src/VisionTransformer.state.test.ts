import { plainAttention } from '@saccade/nn';
import { describeOnBackends } from '@saccade/vitest-preset';
import { expect, it } from 'vitest';
import { createVisionTransformer, visionTransformerCost } from './index.ts';
import { noise, take } from './testing/tiny.ts';
import { tinyVit } from './testing/tinyVit.ts';

describeOnBackends(
  'state dicts of VisionTransformer',
  () => {
    it.each([
      ['images', 2, 'mean', {}],
      ['images, class token, layer scale', 2, 'token', { layerScale: 0.1 }],
      ['clips, class token, no bias', 3, 'token', { qkvBias: false }],
      ['no positions', 2, 'mean', { positionEmbedding: false }],
    ] as const)('has the names and shapes of timm: %s', async (_, rank, pooling, change) => {
      const config = tinyVit(rank, plainAttention(), { pooling, ...change });
      const model = createVisionTransformer(config);
      const state = await model.stateDict();
      const tokens = (rank === 3 ? 24 : 12) + (pooling === 'token' ? 1 : 0);
      const blocks = [0, 1].flatMap((i): [string, number[]][] => [
        [`blocks.${i}.norm1.weight`, [16]],
        [`blocks.${i}.norm1.bias`, [16]],
        [`blocks.${i}.attn.qkv.weight`, [48, 16]],
        ...('qkvBias' in change ? [] : ([[`blocks.${i}.attn.qkv.bias`, [48]]] as [string, number[]][])),
        [`blocks.${i}.attn.proj.weight`, [16, 16]],
        [`blocks.${i}.attn.proj.bias`, [16]],
        ...('layerScale' in change ? ([[`blocks.${i}.ls1.gamma`, [16]]] as [string, number[]][]) : []),
        [`blocks.${i}.norm2.weight`, [16]],
        [`blocks.${i}.norm2.bias`, [16]],
        [`blocks.${i}.mlp.fc1.weight`, [32, 16]],
        [`blocks.${i}.mlp.fc1.bias`, [32]],
        [`blocks.${i}.mlp.fc2.weight`, [16, 32]],
        [`blocks.${i}.mlp.fc2.bias`, [16]],
        ...('layerScale' in change ? ([[`blocks.${i}.ls2.gamma`, [16]]] as [string, number[]][]) : []),
      ]);
      expect([...state].map(([name, { shape }]) => [name, shape])).toEqual([
        ...(pooling === 'token' ? [['cls_token', [1, 1, 16]]] : []),
        ...('positionEmbedding' in change ? [] : [['pos_embed', [1, tokens, 16]]]),
        ['patch_embed.proj.weight', rank === 3 ? [16, 3, 2, 4, 4] : [16, 3, 4, 4]],
        ['patch_embed.proj.bias', [16]],
        ...blocks,
        ['norm.weight', [16]],
        ['norm.bias', [16]],
        ['head.weight', [5, 16]],
        ['head.bias', [5]],
      ]);
      expect(model.parameterCount()).toBe(visionTransformerCost(config).params);
      const other = createVisionTransformer({ ...config, seed: 9 }).eval();
      other.loadStateDict(state);
      const x = noise(rank === 3 ? [2, 4, 12, 16, 3] : [2, 12, 16, 3]);
      expect(await take(other.forward(x))).toEqual(await take(model.eval().forward(x)));
    });

    it('starts as DeiT does, from its seed', async () => {
      const states = await Promise.all(
        [1, 1, 2].map((seed) =>
          createVisionTransformer(tinyVit(2, plainAttention(), { pooling: 'token', seed })).stateDict(),
        ),
      );
      expect(states[0]).toEqual(states[1]);
      for (const [name, { data }] of states[0]!) {
        const values = Array.from(data as Float32Array);
        const [mean, largest] = [values.reduce((a, b) => a + b) / values.length, Math.max(...values.map(Math.abs))];
        if (/norm.*weight$/.test(name)) expect(new Set(values), name).toEqual(new Set([1]));
        else if (name === 'patch_embed.proj.weight' || name === 'patch_embed.proj.bias') {
          expect(largest, name).toBeLessThanOrEqual(1 / Math.sqrt(48));
          expect(data, name).not.toEqual(states[2]!.get(name)!.data);
        } else if (name.endsWith('bias')) expect(new Set(values), name).toEqual(new Set([0]));
        else {
          const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
          expect(Math.abs(deviation / 0.02 - 1), name).toBeLessThan(name === 'cls_token' ? 0.6 : 0.25);
          expect(data, name).not.toEqual(states[2]!.get(name)!.data);
        }
      }
    });
  },
  { backends: ['wasm'] },
);
