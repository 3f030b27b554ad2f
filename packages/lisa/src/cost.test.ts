import { describe, expect, it } from 'vitest';
import { lisaSelfAttentionCost } from './cost.ts';

describe('lisaSelfAttentionCost', () => {
  it('counts a ViT-S layer on a 14x14 grid', () => {
    const [n, c, h] = [196, 384, 6];
    expect(lisaSelfAttentionCost({ dim: c, heads: h, grid: [14, 14] })).toEqual({
      params: 591_360, // 4 * 384 * 384 + 4 * 384
      macs: 4 * n * c * c + 2 * n * n * c,
      activationBytes: 4 * (4 * n * c + h * n * n),
    });
  });
});
