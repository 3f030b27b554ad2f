import { dgAttention } from '@saccade/dg-attention';
import { lisa } from '@saccade/lisa';
import { cosineAttention, plainAttention, windowed } from '@saccade/nn';
import { structSA } from '@saccade/structsa';
import { ConfigError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DgtConfig } from './dgtConfig.ts';
import { createDgt, createModel, dgtConfig, dgtCost, modelConfig, modelInfo, picoDgtConfig } from './index.ts';
import { tinyDgt, tinyGroups } from './testing/tinyDgt.ts';

beforeAll(async () => {
  await setupBackend('wasm');
});

const IMAGENET = [224, 224] as const;

// Specification section 4: parameters with 3x3 and 2x2 merges without the temperatures of cosine attention, MACs in all and
// without those of attention; then the heads of each stage.
const COUNTS = [
  ['t', 24_093_928, 23_223_528, '4.328', '3.956', [2, 4, 8, 16]],
  ['s', 51_764_712, 49_806_312, '9.381', '8.824', [3, 6, 12, 24]],
  ['b', 90_279_656, 86_798_056, '16.361', '15.619', [4, 8, 16, 32]],
] as const;

describe('the counts of the specification', () => {
  it.each(COUNTS)('DGT-%s', (size, params, with2x2, macs, outside, heads) => {
    const [wide, narrow] = [3, 2].map((mergeKernel) =>
      dgtCost(dgtConfig(size, { mergeKernel: mergeKernel as 2 | 3 }), IMAGENET),
    );
    // Cosine attention has a temperature for each head of each block, which the cited counts leave out.
    const temperatures = size === 't' ? 0 : heads[0] + 2 * heads[1] + 17 * heads[2] + 2 * heads[3];
    expect([wide!.params - temperatures, narrow!.params - temperatures]).toEqual([params, with2x2]);
    expect(modelInfo(`dgt_${size}`)).toMatchObject({ params: params + temperatures, macs: wide!.macs });
    expect((wide!.macs / 1e9).toFixed(3)).toBe(macs);
    // 2kLC + 2LGC in the stages of groups, 2LLC in the last one; k = 98, G = 48.
    const { dims, depths } = dgtConfig(size);
    const attention = [56, 28, 14, 7].reduce((sum, side, s) => {
      const tokens = side * side;
      return sum + depths[s]! * 2 * tokens * dims[s]! * (s === 3 ? tokens : 98 + 48);
    }, 0);
    expect(((wide!.macs - attention) / 1e9).toFixed(3)).toBe(outside);
  });

  it('are those of DGT-T when it is built; its centroids are state, but not trained', () => {
    using model = createModel('dgt_t');
    expect(model.parameterCount()).toBe(24_093_928);
    // G C values in each of the 20 blocks with groups.
    const centroids = [...model.stateShapes()].filter(([name]) => name.endsWith('.attn.centroids'));
    expect(centroids).toHaveLength(20);
    expect(centroids.filter(([, { shape }]) => shape.join() === '8,48,32')).toHaveLength(17);
  });

  it('are 51,764,979 and 90,280,012 for DGT-S and -B with their temperatures', () => {
    expect([modelInfo('dgt_s').params, modelInfo('dgt_b').params]).toEqual([51_764_979, 90_280_012]);
  });

  it('by hand, for a small network on an odd picture', () => {
    // 5x7 pixels: stem 3x4 twice, 2x2 in stage 1, 1x1 in stage 2.
    const config = tinyDgt({ mixers: [plainAttention(), plainAttention()], depths: [1, 1] });
    const block = (tokens: number, dim: number) =>
      tokens * (9 * dim + 4 * dim * dim + 2 * tokens * dim + 2 * 2 * dim * dim + 9 * 2 * dim);
    const stem = 12 * 9 * 3 * 4 + 12 * 9 * 4 * 4;
    const merges = 4 * 9 * 4 * 8 + 1 * 9 * 8 * 16;
    expect(dgtCost(config, [5, 7]).macs).toBe(stem + merges + block(4, 8) + block(1, 16) + 16 * 12 + 12 * 5);
    expect(() => dgtCost(config, [4, 5, 7])).toThrow(/^input: expected \[H,W\], at least 1x1 pixels, got \[4,5,7\]/);
  });

  it.each([
    ['norms of the stages', tinyDgt({ stageNorms: true })],
    ['cosines', tinyDgt({ normOrder: 'post', mixers: [tinyGroups({ attention: 'cosine' }), cosineAttention()] })],
    ['2x2 merges, other widths, gray', tinyDgt({ mergeKernel: 2, inChannels: 1, stemDim: 5, mlpRatio: [1, 3] })],
    ['a mixer a block', tinyDgt({ mixers: [tinyGroups(), [structSA(), windowed(plainAttention(), 2)]] })],
  ])('are those of what is built: %s', (_, config) => {
    using model = createDgt(config);
    expect(model.parameterCount()).toBe(dgtCost(config, [32, 32]).params);
  });
});

describe('dgtConfig', () => {
  it('has groups in three stages and compares all positions in the last', () => {
    const names = (config: DgtConfig) => config.mixers.map((mixer) => ('name' in mixer ? mixer.name : ''));
    expect(names(modelConfig('dgt_t'))).toEqual(['dg-48-98', 'dg-48-98', 'dg-48-98', 'attention']);
    const cosine = ['dg-48-98-cosine', 'dg-48-98-cosine', 'dg-48-98-cosine', 'cosine-attention'];
    expect([names(modelConfig('dgt_s')), names(modelConfig('dgt_b'))]).toEqual([cosine, cosine]);
    expect(names(dgtConfig('t', { mixer: structSA() })).at(0)).toBe('structsa-4-1');
    expect(names(dgtConfig('s', { dg: { groups: 8, topK: 4 } })).at(0)).toBe('dg-8-4-cosine');
    expect((['t', 's', 'b'] as const).map((size) => dgtConfig(size).normOrder)).toEqual(['pre', 'post', 'post']);
  });

  it('says what is public, which is nothing, and how images are prepared', () => {
    const { pretrained, input, numClasses } = modelInfo('dgt_s');
    expect([input, numClasses]).toEqual([[224, 224], 1000]);
    expect(pretrained).toMatchObject({ checkpoints: [], transform: { size: 224, mean: [0.485, 0.456, 0.406] } });
    expect(pretrained!.notes.join(' ')).toMatch(/Neither code nor weights are public.*not verified against the paper/);
    expect(pretrained!.repository).toBeUndefined();
  });

  it('takes the options of createModel', () => {
    const options = { numClasses: 7, dropPath: 0.2, seed: 3 };
    expect(modelConfig('dgt_b', options)).toMatchObject(options);
  });
});

describe('picoDgtConfig', () => {
  it('has 196 tokens in its first stage, and as many parameters whatever the mixer is', () => {
    const mixers = [
      dgAttention({ groups: 8, topK: 32 }),
      windowed(plainAttention(), 7),
      structSA(),
      structSA({ detectors: 2 }),
    ];
    const plain = dgtCost(picoDgtConfig(plainAttention()), [28, 28]);
    for (const mixer of mixers) {
      const config = picoDgtConfig(mixer);
      const { params, macs } = dgtCost(config, [28, 28]);
      // Half a channel of the narrowed networks, in two blocks: 79 parameters at the most.
      expect(Math.abs(params - plain.params), mixer.name).toBeLessThan(80);
      expect(macs, mixer.name).not.toBe(plain.macs);
      using model = createDgt(config);
      expect(model.parameterCount()).toBe(params);
    }
  });

  it('refuses a mixer that weighs more than there is to give up, unless told that it may', () => {
    expect(() => picoDgtConfig(lisa())).toThrow(ConfigError);
    expect(() => picoDgtConfig(lisa())).toThrow(
      /^mixer: expected at most 4977 parameters more.*got "lisa.* with 23328 more/,
    );
    const config = picoDgtConfig(lisa(), { matchParameters: false });
    expect(config.mlpRatio).toBe(2);
    using model = createDgt(config);
    expect(model.parameterCount()).toBe(dgtCost(picoDgtConfig(plainAttention()), [28, 28]).params + 2 * 23_328);
  });
});

describe('resolving a configuration', () => {
  it('refuses what cannot be, by name', () => {
    const cases: [Partial<DgtConfig>, RegExp][] = [
      [{ dims: [] }, /^dims: expected the channels of at least one stage/],
      [{ depths: [1] }, /^depths: expected one for each of 2 stages, got 1/],
      [{ mixers: [plainAttention()] }, /^mixers: expected one for each of 2 stages/],
      [{ mlpRatio: [1, 2, 3] }, /^mlpRatio: expected one for each of 2 stages, got 3/],
      [{ depths: [1, 0.5] }, /^depths\[1\]: expected an integer >= 0/],
      [{ dims: [0, 16] }, /^stemDim: /],
      [{ dims: [8, -4] }, /^dims\[1\]: expected an integer >= 1/],
      [{ headDim: 3 }, /^headDim: expected a positive integer that divides dims\[0\] = 8, got 3/],
      [{ mlpRatio: 0.3 }, /^mlpRatio: expected a number by which dims\[0\] = 8 gives an integer >= 1/],
      [
        { mixers: [[plainAttention(), plainAttention()], plainAttention()] },
        /^mixers\[0\]: expected one mixer, or one for/,
      ],
      [{ stemStrides: [] }, /^stemStrides: expected at least one convolution/],
      [{ stemStrides: [2, 0] }, /^stemStrides\[1\]: /],
      [{ stemDim: 0 }, /^stemDim: /],
      [{ headWidth: 0 }, /^headWidth: /],
      [{ mergeKernel: 4 as 3 }, /^mergeKernel: expected 2 or 3, got 4/],
      [{ normOrder: 'both' as 'pre' }, /^normOrder: expected "pre" or "post"/],
      [{ zeroInitNorms: true }, /^zeroInitNorms: expected false where norms stand before/],
      [{ dropPath: 1 }, /^dropPath: expected a rate in \[0, 1\)/],
      [{ inputSize: [6, 32], mergeKernel: 2 }, /^inputSize: expected \[H,W\], at least 7x7 pixels, got \[6,32\]/],
      [{ numClasses: 0 }, /^numClasses: /],
    ];
    for (const [change, message] of cases) {
      expect(() => createDgt(tinyDgt(change)), String(message)).toThrow(ConfigError);
      expect(() => createDgt(tinyDgt(change))).toThrow(message);
    }
  });

  it('tells mixers on which grid they will stand, if the input is known', () => {
    const seen: unknown[] = [];
    const inner = plainAttention();
    const mixer = {
      ...inner,
      create: (context: Parameters<typeof inner.create>[0]) => {
        seen.push(context.grid);
        return inner.create(context);
      },
    };
    createDgt(tinyDgt({ inputSize: [20, 33], mixers: [mixer, mixer], depths: [1, 1] })).dispose();
    createDgt(tinyDgt({ mixers: [mixer, mixer], depths: [1, 0] })).dispose();
    expect(seen).toEqual([[5, 9], [3, 5], undefined]);
  });
});
