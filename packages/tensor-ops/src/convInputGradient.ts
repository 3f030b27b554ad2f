import * as tf from '@tensorflow/tfjs-core';

/** What the gradient of a convolution's input depends on beside dy and the filter; [rows, columns] each. */
export interface ConvGeometry {
  readonly strides: readonly [number, number];
  /** zeros in front of the first row and column */
  readonly before: readonly [number, number];
  /** [B, H, W, C] */
  readonly inputShape: readonly [number, number, number, number];
}

/** One axis of the plan. With stride s, padding p and k taps: */
interface Axis {
  /** s */
  readonly stride: number;
  /** K = ceil(k/s), taps that meet one input position at most */
  readonly taps: number;
  /** min(s, k), residues of r + p modulo s that meet any tap */
  readonly phases: number;
  /** zeros around dy */
  readonly padding: [number, number];
  /** where input position 0 lies in the result, and how many there are */
  readonly start: number;
  readonly size: number;
}

/**
 * Gradient of a convolution with respect to its input, by one convolution of stride 1 that every backend does fast.
 *
 * `dx[b,r,c,i] = sum of dy[b,i',j',o] * filter[u,v,i,o]` over all `s i' + u - p = r`, `s j' + v - q = c`; dy [B, H', W', O],
 * filter [kh, kw, C, O] -> [B, H, W, C]. Writing r + p = s m + a, the taps that reach row r are u = a + s n, and they meet
 * dy at m - n: for each residue a a convolution of stride 1 with every s-th tap, turned round. The residues are computed
 * at once, as channels, and then take their places between each other. (tfjs' own kernel is ten times slower on wasm.)
 */
export function convInputGradient(dy: tf.Tensor4D, filter: tf.Tensor4D, geometry: ConvGeometry): tf.Tensor4D {
  const [kh, kw] = filter.shape;
  const { strides, before, inputShape } = geometry;
  const rows = planAxis(kh, strides[0], before[0], inputShape[1], dy.shape[1]);
  const columns = planAxis(kw, strides[1], before[1], inputShape[2], dy.shape[2]);
  const pad: tf.backend_util.ExplicitPadding = [[0, 0], rows.padding, columns.padding, [0, 0]];
  const phases = tf.conv2d(dy, phaseFilter(filter, rows, columns), 1, pad);
  return interleave(phases, rows, columns, inputShape);
}

function planAxis(kernel: number, stride: number, before: number, size: number, outputs: number): Axis {
  const taps = Math.ceil(kernel / stride);
  // m runs from `first`, which needs no more zeros in front than the filter is long.
  const first = Math.min(Math.floor(before / stride), taps - 1);
  const count = Math.floor((size - 1 + before) / stride) + 1 - first;
  const front = taps - 1 - first;
  return {
    stride,
    taps,
    phases: Math.min(stride, kernel),
    padding: [front, Math.max(0, count - outputs + taps - 1 - front)],
    start: before - stride * first,
    size,
  };
}

/** [kh, kw, C, O] -> [K, L, O, a * b * C]: the taps of each pair of residues (a, b), turned round. */
function phaseFilter(filter: tf.Tensor4D, rows: Axis, columns: Axis): tf.Tensor4D {
  const [kh, kw, inputs, outputs] = filter.shape;
  // u = s n + a: taps that do not exist are zero.
  const [height, width] = [rows.taps * rows.phases, columns.taps * columns.phases];
  const full = height === kh && width === kw ? filter : tf.pad(filter, [[0, height - kh], [0, width - kw], [0, 0], [0, 0]]); // biome-ignore format: one pair an axis
  const rest = inputs * outputs;
  const turnedRows = tf.reverse(tf.reshape(full, [rows.taps, rows.phases * width * rest]), 0);
  const split = tf.reshape(turnedRows, [height, columns.taps, columns.phases * rest]);
  const turned = tf.reshape(tf.reverse(split, 1), [
    rows.taps,
    rows.phases,
    columns.taps,
    columns.phases,
    inputs,
    outputs,
  ]);
  const ordered = tf.transpose(turned, [0, 2, 5, 1, 3, 4]);
  return tf.reshape(ordered, [rows.taps, columns.taps, outputs, rows.phases * columns.phases * inputs]);
}

/** [B, M, N, a * b * C] -> [B, H, W, C], row m of residue a at s m + a, in ranks up to 4. */
function interleave(
  phases: tf.Tensor4D,
  rows: Axis,
  columns: Axis,
  inputShape: readonly [number, number, number, number],
): tf.Tensor4D {
  const [batch, m, n] = phases.shape;
  const channels = inputShape[3];
  let current: tf.Tensor = phases;
  if (rows.phases > 1) {
    const split = tf.reshape(current, [batch * m, n, rows.phases, columns.phases * channels]);
    current = tf.transpose(split, [0, 2, 1, 3]);
  }
  // Residues that meet no tap are zero.
  const columnGap = (columns.stride - columns.phases) * channels;
  if (columnGap > 0) current = tf.pad(tf.reshape(current, [-1, columns.phases * channels]), [[0, 0], [0, columnGap]]); // biome-ignore format: one pair an axis
  const line = n * columns.stride * channels;
  const rowGap = (rows.stride - rows.phases) * line;
  if (rowGap > 0) current = tf.pad(tf.reshape(current, [batch * m, rows.phases * line]), [[0, 0], [0, rowGap]]); // biome-ignore format: one pair an axis
  const map = tf.reshape(current, [batch, m * rows.stride, n * columns.stride, channels]) as tf.Tensor4D;
  const exact = rows.start === 0 && columns.start === 0 && map.shape[1] === rows.size && map.shape[2] === columns.size;
  return exact ? map : tf.slice(map, [0, rows.start, columns.start, 0], [batch, rows.size, columns.size, channels]);
}
