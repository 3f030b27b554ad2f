import { assertShape, ConfigError, formatShape, product, ShapeError } from '@saccade/tensor-ops';
import type { Tensor } from '@tensorflow/tfjs-core';

/** The lattice on which tokens lie: [H, W] of an image, [T, H, W] of a clip. Tokens are in row-major order. */
export type Grid = readonly [height: number, width: number] | readonly [frames: number, height: number, width: number];

/**
 * Throws unless `tokens` tokens fill `grid`.
 *
 * @throws ConfigError if the grid is not 2 or 3 positive integers; ShapeError if it has another number of positions
 */
export function assertGrid(tokens: number, grid: Grid): void {
  const sizes: readonly number[] = grid;
  if ((sizes.length !== 2 && sizes.length !== 3) || sizes.some((size) => !Number.isSafeInteger(size) || size < 1)) {
    throw new ConfigError('grid', '[H,W] or [T,H,W], positive integers', sizes);
  }
  if (product(sizes) !== tokens) {
    throw new ShapeError({
      argument: 'grid',
      expected: `as many positions as there are tokens, N = ${tokens}`,
      actual: `${formatShape(sizes)} = ${product(sizes)} positions`,
      hint: 'Pass the grid of the token map: [H,W] for images, [T,H,W] for clips.',
    });
  }
}

/**
 * Throws unless `x` holds tokens of `dim` channels that fill `grid`, after `prefixTokens` others: [B, P + N, dim].
 *
 * @throws ShapeError or ConfigError, as {@link assertGrid}
 */
export function assertTokens(x: Tensor, dim: number, grid: Grid, prefixTokens = 0): void {
  assertShape('x', x, ['B', prefixTokens === 0 ? 'N' : `${prefixTokens}+N`, dim]);
  assertGrid((x.shape[1] as number) - prefixTokens, grid);
}

/** Number of positions of a grid. */
export function gridTokens(grid: Grid): number {
  return product(grid);
}

/** The grid after a spatial stride with odd kernels padded by half: ceil(n/s) in space, time as it was. */
export function stridedGrid(grid: Grid, stride: number): Grid {
  const [height, width] = grid.slice(-2) as [number, number];
  const space = [Math.ceil(height / stride), Math.ceil(width / stride)] as const;
  return grid.length === 3 ? [grid[0], ...space] : space;
}
