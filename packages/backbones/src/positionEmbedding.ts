import { assertGrid, type Grid, gridTokens, type StateDict, type StateTensor } from '@saccade/nn';
import { ConfigError, formatShape, matMul, product, ShapeError } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { gridResampling, resampleValues } from './positionResampling.ts';

/**
 * The position embedding of a model for another grid: `embedding` [1, P + N, C] -> [1, P + N', C], differentiable.
 *
 * The P prefix tokens stay as they are. The others are resampled one axis after the other, bicubic in space, linear in
 * time: new value i reads position `(i + 0.5) from / to - 0.5`, and reads beyond an end take the end. Space: the four
 * nearest, with Keys' cubic kernel, a = -0.75. Time: the two nearest. No antialiasing, whatever the factor.
 *
 * That is `F.interpolate(mode='bicubic', align_corners=False)` of PyTorch, with which DeiT's code changes the resolution.
 * timm's `resample_abs_pos_embed` gives other numbers, since it antialiases by default. Linear time is inferred: DeiT has
 * no clips.
 */
export function resamplePositions(embedding: tf.Tensor3D, from: Grid, to: Grid, prefixTokens: number): tf.Tensor3D {
  const channels = embedding.shape[2];
  return tf.tidy(() => {
    const [prefix, tokens] = tf.split(embedding, [prefixTokens, gridTokens(from)], 1) as [tf.Tensor3D, tf.Tensor3D];
    let values: tf.Tensor = tokens;
    let before = 1;
    for (const { from: size, to: newSize, weights } of gridResampling(from, to)) {
      const rows = tf.reshape(values, [before, size, -1]);
      values = matMul(tf.tensor(Float32Array.from(weights), [newSize, size]), rows);
      before *= newSize;
    }
    const resampled = tf.reshape(values, [1, before, channels]) as tf.Tensor3D;
    return prefixTokens === 0 ? resampled : tf.concat([prefix, resampled], 1);
  });
}

/** Options of {@link resizePositionEmbedding}. */
export interface ResizePositionOptions {
  /** the grid of the state dict's embedding; default: the square of its number of positions */
  readonly from?: Grid;
}

/**
 * A state dict whose `pos_embed` is that of the grid `to`, for a model of another `inputSize` than the one it comes from:
 * `model.loadStateDict(resizePositionEmbedding(state, model.config.grid))`. Everything else passes unchanged.
 *
 * The same resampling as {@link resamplePositions}. From images to clips every frame gets the image's vectors. Rows of
 * `cls_token` and `dist_token`, where the state dict has them, stay first and as they are.
 *
 * @throws ConfigError without a `pos_embed`, for positions that form no square and no `from` to say what they form, and
 *   for a change from clips to images; ShapeError for a `pos_embed` that is not [1, P + N, C] or not of the grid `from`
 */
export function resizePositionEmbedding(
  state: StateDict,
  to: Grid,
  { from }: ResizePositionOptions = {},
): Map<string, StateTensor> {
  assertGrid(product(to), to);
  const { prefix, positions, channels, values } = positionsOf(state);
  const source = from ?? squareOf(positions);
  if (product(source) !== positions) {
    const actual = `${formatShape(source)} = ${product(source)}`;
    throw new ShapeError({ argument: 'from', expected: `a grid of ${positions} positions, as pos_embed has`, actual });
  }
  if (source.length > to.length) throw new ConfigError('to', 'a grid [T,H,W], as the embedding is one of clips', to);
  const padded = (source.length < to.length ? [1, ...source] : source) as Grid;
  const resized = new Float32Array((prefix + gridTokens(to)) * channels);
  resized.set(values.subarray(0, prefix * channels));
  const grid = resampleValues(values.subarray(prefix * channels), gridResampling(padded, to), channels);
  resized.set(grid, prefix * channels);
  return withPositions(state, channels, resized);
}

/**
 * A state dict without `cls_token` and `dist_token` and their rows of `pos_embed`: the weights of a DeiT for a model with
 * mean pooling. Everything else passes unchanged.
 *
 * @throws ConfigError without a `pos_embed`; ShapeError for one that is not [1, P + N, C]
 */
export function dropClassToken(state: StateDict): Map<string, StateTensor> {
  const { prefix, channels, values } = positionsOf(state);
  const rest = withPositions(state, channels, Float32Array.from(values.subarray(prefix * channels)));
  for (const name of PREFIX_TOKENS) rest.delete(name);
  return rest;
}

const PREFIX_TOKENS = ['cls_token', 'dist_token'];

function positionsOf(state: StateDict) {
  const embedding = state.get('pos_embed');
  if (!embedding) throw new ConfigError('state', 'a state dict with pos_embed', 'one without');
  const prefix = PREFIX_TOKENS.filter((name) => state.has(name)).length;
  const { shape, data } = embedding;
  const [one, tokens = 0, channels = 0] = shape;
  if (shape.length !== 3 || one !== 1 || tokens <= prefix || channels < 1 || data.length !== product(shape)) {
    throw new ShapeError({
      argument: 'pos_embed',
      expected: `shape [1,${prefix === 0 ? 'N' : `${prefix}+N`},C], with a value for each`,
      actual: `${formatShape(shape)} and ${data.length} values`,
    });
  }
  return { prefix, positions: tokens - prefix, channels, values: Float64Array.from(data as ArrayLike<number>, Number) };
}

function withPositions(state: StateDict, channels: number, data: Float32Array): Map<string, StateTensor> {
  const embedding: StateTensor = { dtype: 'float32', shape: [1, data.length / channels, channels], data };
  return new Map(state).set('pos_embed', embedding) as Map<string, StateTensor>;
}

function squareOf(positions: number): Grid {
  const side = Math.round(Math.sqrt(positions));
  if (side * side === positions) return [side, side];
  const hint = 'Say with the option `from` which grid they form.';
  throw new ConfigError('pos_embed', 'a square number of positions', positions, hint);
}
