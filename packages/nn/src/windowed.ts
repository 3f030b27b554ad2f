import { assertInteger, assertShape, ConfigError, ShapeError } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { assertGrid, type Grid, gridTokens } from './grid.ts';
import { Module } from './Module.ts';
import type { MixerContext, MixerSpec, TokenMixer } from './mixer.ts';

/** Rows and columns of a window; one number for square windows. */
export type WindowSize = number | readonly [height: number, width: number];

/**
 * Cuts tokens on a grid into windows that do not overlap: [B, N, C] -> [B * R * S, T * h * w, C].
 *
 * B batch, N = (T *) H * W tokens, C channels, h x w the window, R = ceil(H / h) rows and S = ceil(W / w) columns of
 * windows, in row-major order for each sample; T = 1 for images. Tokens of zeros fill the grid up at the bottom and the
 * right to whole windows. A window spans all frames of a clip. {@link mergeWindows} is the inverse.
 *
 * @throws ShapeError or ConfigError if the grid does not have N positions or the window is not one or two positive integers
 */
export function partitionWindows(x: tf.Tensor3D, grid: Grid, size: WindowSize): tf.Tensor3D {
  assertShape('x', x, ['B', 'N', 'C']);
  assertGrid(x.shape[1], grid);
  const { frames, height, width, rows, columns, window } = tiling(grid, size);
  const [h, w] = window;
  const [batch, , channels] = x.shape;
  return tf.tidy(() => {
    const map = tf.reshape(x, [batch * frames, height, width, channels]) as tf.Tensor4D;
    // Ranks up to 4 throughout: webgpu pads and slices wrongly from rank 5 on.
    const strips = tf.reshape(pad(map, rows * h, columns * w), [batch * frames * rows, h, columns, w * channels]);
    const tiles = tf.transpose(strips, [0, 2, 1, 3]);
    const perFrame = tf.reshape(tiles, [batch, frames, rows * columns, h * w * channels]);
    const perWindow = frames === 1 ? perFrame : tf.transpose(perFrame, [0, 2, 1, 3]);
    return tf.reshape(perWindow, [batch * rows * columns, frames * h * w, channels]) as tf.Tensor3D;
  });
}

/**
 * Puts the tokens of windows back in their places: the inverse of {@link partitionWindows}, which leaves out the tokens
 * that had filled the grid up. [B * R * S, T * h * w, C] -> [B, N, C].
 *
 * @throws ShapeError if these are not the windows of such a grid
 */
export function mergeWindows(windows: tf.Tensor3D, grid: Grid, size: WindowSize): tf.Tensor3D {
  assertGrid(gridTokens(grid), grid);
  const { frames, height, width, rows, columns, window } = tiling(grid, size);
  const [h, w] = window;
  assertShape('windows', windows, ['B', frames * h * w, 'C']);
  const [total, , channels] = windows.shape;
  const batch = total / (rows * columns);
  if (!Number.isInteger(batch)) {
    const expected = `a multiple of ${rows * columns} windows, ${rows} x ${columns} for each sample`;
    throw new ShapeError({ argument: 'windows', expected, actual: `${total}` });
  }
  return tf.tidy(() => {
    const perWindow = tf.reshape(windows, [batch, rows * columns, frames, h * w * channels]);
    const perFrame = frames === 1 ? perWindow : tf.transpose(perWindow, [0, 2, 1, 3]);
    const tiles = tf.reshape(perFrame, [batch * frames * rows, columns, h, w * channels]);
    const strips = tf.transpose(tiles, [0, 2, 1, 3]);
    const padded = tf.reshape(strips, [batch * frames, rows * h, columns * w, channels]) as tf.Tensor4D;
    const whole = rows * h === height && columns * w === width;
    const map = whole ? padded : tf.slice(padded, [0, 0, 0, 0], [batch * frames, height, width, channels]);
    return tf.reshape(map, [batch, gridTokens(grid), channels]) as tf.Tensor3D;
  });
}

/**
 * Any mixer inside windows: tokens mix only with those of their own window, at a cost linear in the grid.
 *
 * ```
 * y = merge(mixer(partition(x)))
 * ```
 *
 * As in UniFormer's detection and segmentation models: windows do not overlap and are not shifted; the normalised tokens
 * are filled up with zeros at the bottom and the right to whole windows (a grid smaller than a window, too), and since
 * nothing is masked, these zeros take part as keys and values (with a qkv bias: as the bias). StructSA sees zero padding
 * at the borders of a window, not its neighbours. On clips a window spans all frames.
 *
 * State dicts are those of the mixer alone: the same checkpoint fits with windows and without.
 * Source: Li et al., arXiv 2201.09450, and its public code; on clips inferred.
 *
 * @throws ConfigError if the window is not one or two positive integers; on building, if there are prefix tokens
 */
export function windowed(mixer: MixerSpec, size: WindowSize): MixerSpec {
  const window = resolveWindow(size);
  return {
    name: `${mixer.name} in ${window.join('x')} windows`,
    create: ({ grid, prefixTokens = 0, ...context }) => {
      if (prefixTokens !== 0) {
        const hint = 'A token without a place on the grid belongs to no window.';
        throw new ConfigError('prefixTokens', '0 in a windowed mixer', prefixTokens, hint);
      }
      return new WindowedMixer(mixer.create({ ...context, ...innerGrid(grid, context.gridRank, window) }), window);
    },
    cost: ({ grid, weightsGrid, ...context }) => {
      const tiles = tiling(grid, window);
      const inner = weightsGrid ? { weightsGrid: tiling(weightsGrid, window).grid } : {};
      const { params, macs, activationBytes } = mixer.cost({ ...context, ...inner, grid: tiles.grid });
      const windows = tiles.rows * tiles.columns;
      return { params, macs: windows * macs, activationBytes: windows * activationBytes };
    },
  };
}

/** A token mixer that works inside windows; {@link windowed} makes it. It owns the mixer that it is given. */
export class WindowedMixer extends Module implements TokenMixer {
  readonly mixer: TokenMixer;
  readonly window: readonly [height: number, width: number];

  constructor(mixer: TokenMixer, size: WindowSize) {
    super();
    this.window = resolveWindow(size);
    this.mixer = this.child('mixer', mixer);
  }

  /** The mixer stands under this module's own name, so that windows do not show in state dicts. */
  override *namedModules(prefix = ''): Generator<[name: string, module: Module]> {
    yield [prefix, this];
    yield* this.mixer.namedModules(prefix);
  }

  /** `x` [B, N, C] on `grid` -> [B, N, C]. */
  forward(x: tf.Tensor3D, grid: Grid): tf.Tensor3D {
    this.assertUsable();
    return tf.tidy(() => {
      const windows = partitionWindows(x, grid, this.window);
      return mergeWindows(this.mixer.forward(windows, tiling(grid, this.window).grid), grid, this.window);
    });
  }
}

/** How windows cover a grid. */
function tiling(grid: Grid, size: WindowSize) {
  const window = resolveWindow(size);
  const [h, w] = window;
  const [height, width] = grid.slice(-2) as [number, number];
  const frames = grid.length === 3 ? grid[0] : 1;
  const inner: Grid = grid.length === 3 ? [frames, h, w] : window;
  return { frames, height, width, rows: Math.ceil(height / h), columns: Math.ceil(width / w), window, grid: inner };
}

/** The grid of a window where it is known: on images it is the window itself, on clips it has all frames of the grid. */
function innerGrid(
  grid: Grid | undefined,
  gridRank: number,
  window: readonly [number, number],
): Pick<MixerContext, 'grid'> {
  if (grid) return { grid: tiling(grid, window).grid };
  return gridRank === 2 ? { grid: window } : {};
}

function resolveWindow(size: WindowSize): readonly [height: number, width: number] {
  const window = typeof size === 'number' ? ([size, size] as const) : size;
  if (window.length !== 2) throw new ConfigError('size', 'one side or [height, width]', size);
  for (const side of window) assertInteger('size', side, 1);
  return window;
}

function pad(map: tf.Tensor4D, height: number, width: number): tf.Tensor4D {
  const [, rows, columns] = map.shape;
  if (rows === height && columns === width) return map;
  return tf.pad(map, [
    [0, 0],
    [0, height - rows],
    [0, width - columns],
    [0, 0],
  ]);
}
