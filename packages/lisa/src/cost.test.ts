import { describe, expect, it } from 'vitest';
import { lisaSelfAttentionCost } from './cost.ts';

const LAYER = { dim: 192, heads: 3 } as const;
const PROJECTIONS = (tokens: number) => 4 * tokens * 192 * 192;

describe('lisaSelfAttentionCost', () => {
  // Specification section 7: millions of multiply-accumulates of the operator, D = 8, zero padding.
  it.each([
    [7, 1.0, 7.6, 15.3],
    [14, 16.6, 37.2, 108.8],
    [20, 69.1, 83.2, 306],
    [24, 143.3, 125.1, 521],
    [28, 266, 176, 819],
    [56, 4249, 816, 6352],
    [112, 67976, 3701, 50018],
  ])('a grid of %i: dense %f, fft %f, dft %f', (side, dense, fft, dft) => {
    const macs = (compute: 'dense' | 'fft' | 'dft') =>
      (lisaSelfAttentionCost({ ...LAYER, grid: [side, side], compute }).macs - PROJECTIONS(side * side)) / 1e6;
    const digits = side < 28 ? 1 : 0;
    // The specification writes more digits where numbers are small.
    expect(macs('dense').toFixed(digits)).toBe(dense.toFixed(digits));
    // Of 56x56 it states 816, but its formula is 815.5.
    expect(Math.abs(macs('fft') - fft)).toBeLessThan(side < 28 ? 0.06 : 0.6);
    expect(macs('dft').toFixed(side < 20 ? 1 : 0)).toBe(dft.toFixed(side < 20 ? 1 : 0));
  });

  it('counts the tables of every mode, for the grid that they were built for', () => {
    const params = (options: object) =>
      lisaSelfAttentionCost({ dim: 12, heads: 3, grid: [4, 5], ...options }).params - (4 * 144 + 48);
    expect(params({})).toBe(2 * 3 * 8 * 63);
    expect(params({ patterns: 2, padding: 'circular' })).toBe(2 * 3 * 2 * 20);
    expect(params({ mode: 'kernelized' })).toBe(3 * 63);
    expect(params({ mode: 'hadamard', padding: 'circular' })).toBe(12 * 20);
    expect(params({ grid: [8, 8], weightsGrid: [4, 5] })).toBe(2 * 3 * 8 * 63);
    expect(params({ qkvBias: false })).toBe(2 * 3 * 8 * 63 - 36);
  });

  it('takes what multiplies less: all pairs on small grids, transforms on large ones', () => {
    const macs = (side: number, compute: 'auto' | 'dense' | 'fft') =>
      lisaSelfAttentionCost({ ...LAYER, grid: [side, side], compute }).macs;
    expect(macs(14, 'auto')).toBe(macs(14, 'dense'));
    expect(macs(56, 'auto')).toBe(macs(56, 'fft'));
    expect(macs(56, 'fft')).toBeLessThan(macs(56, 'dense'));
  });

  it('counts what every mode multiplies', () => {
    const macs = (mode: 'kernelized' | 'hadamard', compute: 'dense' | 'dft' | 'fft', grid: number[]) =>
      lisaSelfAttentionCost({ dim: 6, heads: 2, grid, mode, compute, padding: 'circular' }).macs -
      4 * 36 * grid[0]! * grid[1]!;
    // 8 tokens; c = 3. All pairs: scores, R, values; or R on k v for each channel.
    expect(macs('kernelized', 'dense', [2, 4])).toBe(64 * (6 + 2 + 6));
    expect(macs('hadamard', 'dense', [2, 4])).toBe(64 * 6);
    // 24 maps there and back and 2 tables; 24 products of 8 frequencies; forming maps, and meeting queries.
    expect(macs('kernelized', 'fft', [2, 4])).toBe(1.25 * 50 * 8 * 3 + 1.5 * 24 * 8 + 48 * 8);
    // 6 maps there and back and 6 tables, by products: 2 rows of 4 to 3 frequencies, then 3 columns of 2 complex ones.
    expect(macs('hadamard', 'dft', [2, 4])).toBe(18 * (2 * 8 * 3 + 4 * 2 * 2 * 3) + 4 * 6 * 6 + 12 * 8);
  });

  it('has activations that grow with the square of N densely, and with N by transforms', () => {
    const bytes = (side: number, compute: 'dense' | 'fft') =>
      lisaSelfAttentionCost({ ...LAYER, grid: [side, side], compute }).activationBytes;
    expect(bytes(56, 'dense') / bytes(28, 'dense')).toBeGreaterThan(13);
    expect(bytes(56, 'fft') / bytes(28, 'fft')).toBe(4);
  });
});
