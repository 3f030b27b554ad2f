import { plainAttention } from '@saccade/nn';
import { setupBackend } from '@saccade/tensor-ops/node';
import { describe, expect, it } from 'vitest';
import { createBackbone } from './Backbone.ts';
import { dropPathRates, resolveConfig, stageHeads } from './config.ts';
import { tinyConfig } from './testing/tiny.ts';
import { uniformerConfig } from './uniformer.ts';

describe('dropPathRates', () => {
  it('grow linearly from 0 to the rate over all blocks of all stages', () => {
    const rates = dropPathRates(resolveConfig({ ...tinyConfig(2), dropPath: 0.4 }));
    expect(rates.map((stage) => stage.length)).toEqual([1, 1, 2, 1]);
    rates.flat().forEach((rate, i) => {
      expect(rate).toBeCloseTo(0.1 * i, 12);
    });
  });

  it('of UniFormer-S end at 0.1, after 18 blocks', () => {
    const rates = dropPathRates(resolveConfig(uniformerConfig('s'))).flat();
    expect(rates).toHaveLength(18);
    expect([rates[0], rates[17]]).toEqual([0, 0.1]);
    expect(rates[1]).toBeCloseTo(0.1 / 17, 12);
  });

  it('of a single block are 0', () => {
    const [stage] = tinyConfig(2).stages;
    expect(dropPathRates({ stages: [stage!], dropPath: 0.5 })).toEqual([[0]]);
  });

  it('are those of the blocks that are built', async () => {
    await setupBackend('wasm');
    const model = createBackbone({ ...tinyConfig(2), dropPath: 0.4 });
    const built = [...model.namedModules()].filter(([name]) => name.endsWith('drop_path'));
    expect(built.map(([name]) => name)).toEqual(
      ['1.0', '2.0', '3.0', '3.1', '4.0'].map((block) => `blocks${block}.drop_path`),
    );
    built.forEach(([, module], i) => {
      expect((module as unknown as { rate: number }).rate).toBeCloseTo(0.1 * i, 12);
    });
    model.dispose();
  });
});

describe('resolveConfig', () => {
  it('fills in the documented defaults and leaves the rest as it is', () => {
    const { stages } = tinyConfig(2);
    const flags = { tokenLabelling: false, stageNorms: false };
    const defaults = { inChannels: 3, numClasses: 1000, mlpRatio: 4, dropPath: 0, seed: 0, ...flags };
    expect(resolveConfig({ gridRank: 2, stages })).toEqual({ gridRank: 2, stages, ...defaults });
    const given = {
      gridRank: 2,
      stages,
      inChannels: 1,
      numClasses: 7,
      mlpRatio: 2,
      dropPath: 0.1,
      seed: 4,
      layerScale: 1,
      tokenLabelling: true,
      stageNorms: true,
    };
    expect(resolveConfig(given as Parameters<typeof resolveConfig>[0])).toEqual(given);
  });

  it('has heads of 64 channels where nothing else is said', () => {
    const stage = { dim: 320, depth: 1, patch: { kernel: [2, 2] }, mixer: plainAttention() };
    expect(stageHeads(stage)).toBe(5);
    expect(stageHeads({ ...stage, headDim: 32 })).toBe(10);
  });
});
