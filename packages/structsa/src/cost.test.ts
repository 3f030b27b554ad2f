import { Rng } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { structSelfAttentionCost } from './cost.ts';
import { StructSelfAttention, structSA } from './StructSelfAttention.ts';

beforeAll(async () => {
  await setupBackend('wasm');
});

describe('structSelfAttentionCost', () => {
  it('counts the parameters that a module has', () => {
    const odd = fc.constantFrom(1, 3, 5);
    const options = fc.record({
      heads: fc.integer({ min: 1, max: 3 }),
      headDim: fc.integer({ min: 1, max: 4 }),
      detectors: fc.integer({ min: 1, max: 4 }),
      kernelK: fc.tuple(odd, odd, odd),
      kernelV: fc.tuple(odd, odd, odd),
      stride: fc.integer({ min: 1, max: 3 }),
      sharedFilters: fc.constantFrom('none', 'v', 'kv'),
    });
    const property = fc.property(options, ({ headDim, ...rest }) => {
      const sizes = { ...rest, dim: rest.heads * headDim };
      const module = new StructSelfAttention({ ...sizes, gridRank: 3, rng: new Rng(0) });
      expect(structSelfAttentionCost({ ...sizes, grid: [2, 4, 4] }).params).toBe(module.parameterCount());
      module.dispose();
    });
    fc.assert(property, { seed: 1, numRuns: 30 });
  });

  it('counts a layer by hand', () => {
    // 2x3 tokens of 4 channels, 2 heads, D = 2, kernels of 3 and 1 taps, stride 2: 1x2 keys.
    const sizes = {
      dim: 4,
      heads: 2,
      grid: [2, 3],
      detectors: 2,
      kernelK: [3, 1],
      kernelV: [1, 1],
      stride: 2,
    } as const;
    expect(structSelfAttentionCost(sizes)).toEqual({
      params: 4 * 16 + 16 + (3 + 1) * 4 * 2,
      macs: 4 * 6 * 16 + (3 + 1) * 4 * 2 * 2 + 2 * 6 * 2 * 2 * 4,
      activationBytes: 4 * (4 * 6 * 4 + 2 * 2 * 4 * 2 + 2 * 6 * 2),
    });
  });

  // Specification section 2.2: DeiT-S with StructSA in all 12 layers. Its class token is one more query of all keys, and
  // one more key, which no detector sees.
  it.each([
    [1, 22.13, 4.615],
    [2, 22.22, 4.987],
    [4, 22.38, 5.731],
    [8, 22.71, 7.22],
  ])('adds to DeiT-S what the specification counts, D = %i', (detectors, params, macs) => {
    const [dim, patches, pixels, layers] = [384, 196, 16 * 16 * 3, 12];
    const mixer = structSA({ detectors }).cost({ dim, heads: 6, grid: [14, 14] });
    const mlp = 8 * dim * dim + 5 * dim;
    const norms = 4 * dim;
    const embedding = (pixels + 1) * dim + (patches + 2) * dim; // patches; positions and the class token
    const head = 2 * dim + 1000 * dim + 1000; // the last norm, the classifier
    expect((layers * (mixer.params + mlp + norms) + embedding + head) / 1e6).toBeCloseTo(params, 2);

    const classToken = 4 * dim * dim + 2 * patches * detectors * dim + 2 * (patches + 1) * dim;
    const layer = mixer.macs + classToken + (patches + 1) * 8 * dim * dim;
    expect((layers * layer + patches * pixels * dim + 1000 * dim) / 1e9).toBeCloseTo(macs, 3);
  });

  it('counts strided keys as the padded convolution gives them, ceil(n / stride) in space', () => {
    const macs = (grid: readonly [number, number, number]) =>
      structSA({ detectors: 4, stride: 2 }).cost({ dim: 64, heads: 1, grid }).macs;
    const expected = (tokens: number, keys: number) =>
      4 * tokens * 64 ** 2 + 54 * 64 * 4 * keys + 2 * tokens * keys * 4 * 64;
    expect(macs([8, 14, 14])).toBe(expected(8 * 196, 8 * 49));
    expect(macs([8, 7, 7])).toBe(expected(8 * 49, 8 * 16));
  });
});
