import { setupBackend } from '@saccade/tensor-ops/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { REFERENCE, SETTINGS } from './structsaSettings.ts';

beforeAll(() => setupBackend('wasm'));

const costOf = (id: string) => {
  const setting = SETTINGS.find((one) => one.id === id);
  if (!setting) throw new Error(`no setting ${id}`);
  return setting.cost('motion');
};

// The pico network by hand: N = 64 tokens, C = 32 channels, 2 blocks, 16 classes.
const [N, C] = [64, 32];
const embedding = { params: 2 * 8 * 8 * C + C + N * C, macs: N * 2 * 8 * 8 * C };
const head = { params: 2 * C + C * 16 + 16, macs: C * 16 };
const mlp = { params: 2 * C * 2 * C + 2 * C + C, macs: N * 2 * C * 2 * C };
const projections = { params: 4 * C * C + 4 * C, macs: N * 4 * C * C };

/** The network with `filters` values of filters, `taps` taps and `sets` sets of keys in each block. */
function byHand({ filters, taps, keys, blocks = 2 }: { filters: number; taps: number; keys: number; blocks?: number }) {
  const params = 2 * 2 * C + projections.params + filters + mlp.params;
  const macs = projections.macs + taps * C * keys + 2 * N * keys * C + mlp.macs;
  return { params: embedding.params + blocks * params + head.params, macs: embedding.macs + blocks * macs + head.macs };
}

describe('the settings', () => {
  it.each([
    ['sa', { filters: 0, taps: 0, keys: N }],
    ['d1', { filters: 54 * C, taps: 54, keys: N }],
    ['d2', { filters: 54 * C * 2, taps: 54, keys: 2 * N }],
    ['d4', { filters: 54 * C * 4, taps: 54, keys: 4 * N }],
    ['d8', { filters: 54 * C * 8, taps: 54, keys: 8 * N }],
    ['kernel1', { filters: 2 * C * 4, taps: 2, keys: 4 * N }],
    ['kernel5', { filters: 250 * C * 4, taps: 250, keys: 4 * N }],
    ['element', { filters: 28 * C * 4, taps: 28, keys: 4 * N }],
    ['shared-v', { filters: 27 * (C + 1) * 4, taps: 54, keys: 4 * N }],
    ['shared-kv', { filters: 54 * 4, taps: 54, keys: 4 * N }],
    ['deep', { filters: 54 * C, taps: 54, keys: N, blocks: 5 }],
    ['params', { filters: 54 * C, taps: 54, keys: N, blocks: 3 }],
    // Strides halve both axes of space and leave time alone.
    ['stride2', { filters: 54 * C * 4, taps: 54, keys: N }],
  ])('%s has the parameters and MACs that a hand counts', (id, sizes) => {
    expect(costOf(id)).toMatchObject(byHand(sizes));
  });

  it.each(SETTINGS)('$id builds, and has as many parameters as its cost says', (setting) => {
    const model = setting.create('motion', 3);
    expect(model.parameterCount()).toBe(setting.cost('motion').params);
    model.dispose();
  });

  it('are told apart by their ids, and contain the reference', () => {
    const ids = SETTINGS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain(REFERENCE);
  });
});

describe('the controls', () => {
  const { params, macs } = costOf(REFERENCE);

  it('have the capacity that their description says', () => {
    expect(costOf('wide').macs / macs).toBeCloseTo(1.03, 2);
    expect(costOf('deep').macs / macs).toBeCloseTo(1.11, 2);
    expect(byHand({ filters: 54 * C, taps: 54, keys: N, blocks: 4 }).macs / macs).toBeCloseTo(0.9, 2);
    expect(costOf('params').params / params).toBeCloseTo(1, 2);
    expect(costOf('stride2').params).toBe(params);
    expect(costOf('stride2').macs).toBe(costOf('d1').macs);
  });
});
