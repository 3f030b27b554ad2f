import { describe, expect, it } from 'vitest';
import { dgSelfAttentionCost } from './cost.ts';

describe('dgSelfAttentionCost', () => {
  // The table of the specification: attention's part of DGT-T at 224 pixels, in millions.
  it.each([
    { side: 56, dim: 64, attention: 58.6 },
    { side: 28, dim: 128, attention: 29.3 },
    { side: 14, dim: 256, attention: 14.7 },
  ])('counts stage $dim', ({ side, dim, attention }) => {
    const tokens = side * side;
    const cost = dgSelfAttentionCost({ dim, heads: dim / 32, grid: [side, side], groups: 48, topK: 98 });
    const own = cost.macs - 4 * tokens * dim * dim;
    expect(own).toBe(2 * 98 * tokens * dim + 2 * tokens * 48 * dim);
    expect(own / 1e6).toBeCloseTo(attention, 1);
    expect(cost.params).toBe(4 * dim * dim + 4 * dim);
  });

  it('counts no more keys than there are tokens, a scale per head, and prefix tokens', () => {
    const cost = dgSelfAttentionCost({
      ...{ dim: 8, heads: 2, grid: [2, 2], groups: 3, topK: 98 },
      ...{ attention: 'cosine', prefixTokens: 1, qkvBias: false },
    });
    expect(cost.params).toBe(4 * 64 + 8 + 2);
    expect(cost.macs).toBe(4 * 5 * 64 + 2 * 5 * 5 * 8 + 2 * 5 * 3 * 8);
    expect(cost.activationBytes).toBe(4 * (4 * 5 * 8 + 2 * (5 + 3 * 5)));
  });
});
