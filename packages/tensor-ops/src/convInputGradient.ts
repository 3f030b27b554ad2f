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
 * Gradient of a convolution with respect to its input, by convolutions of stride 1 that every backend does fast.
 *
 * `dx[b,r,c,i] = sum of dy[b,i',j',o] * filter[u,v,i,o]` over all `s i' + u - p = r`, `s j' + v - q = c`; dy [B, H', W', O],
 * filter [kh, kw, C, O] -> [B, H, W, C]. Writing r + p = s m + a, the taps that reach row r are u = a + s n, and they meet
 * dy at m - n: for each residue a a convolution of stride 1 with every s-th tap, turned round. Residues of columns are
 * computed at once, as channels, which already puts them in their places; those of rows take theirs by joining lines.
 * (tfjs' own kernel is up to ten times slower on wasm.)
 */
export function convInputGradient(dy: tf.Tensor4D, filter: tf.Tensor4D, geometry: ConvGeometry): tf.Tensor4D {
  const [kh, kw] = filter.shape;
  const { strides, before, inputShape } = geometry;
  const rows = planAxis(kh, strides[0], before[0], inputShape[1], dy.shape[1]);
  const columns = planAxis(kw, strides[1], before[1], inputShape[2], dy.shape[2]);
  const pad: tf.backend_util.ExplicitPadding = [[0, 0], rows.padding, columns.padding, [0, 0]];
  const residues = phaseFilters(filter, rows, columns).map((own) => tf.conv2d(dy, own, 1, pad));
  return interleave(residues, rows, columns, inputShape);
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

/** [kh, kw, C, O] -> for each residue of rows [K, L, O, b * C]: the taps of all residues of columns, turned round. */
function phaseFilters(filter: tf.Tensor4D, rows: Axis, columns: Axis): tf.Tensor4D[] {
  const [kh, kw, inputs, outputs] = filter.shape;
  // u = s n + a: taps that do not exist are zero.
  const [height, width] = [rows.taps * rows.phases, columns.taps * columns.phases];
  const full = height === kh && width === kw ? filter : tf.pad(filter, [[0, height - kh], [0, width - kw], [0, 0], [0, 0]]); // biome-ignore format: one pair an axis
  const rest = inputs * outputs;
  // Rank 3 and below: webgpu reverses no more axes than four.
  const turnedRows = turn(tf.reshape(full, [rows.taps, rows.phases * width * rest]), 0);
  const turnedBoth = turn(tf.reshape(turnedRows, [height, columns.taps, columns.phases * rest]), 1);
  const turned = tf.reshape(turnedBoth, [rows.taps, rows.phases, columns.taps, columns.phases, inputs, outputs]);
  const ordered = tf.transpose(turned, [1, 0, 2, 5, 3, 4]);
  const shape: tf.Tensor4D['shape'] = [rows.taps, columns.taps, outputs, columns.phases * inputs];
  if (rows.phases === 1) return [tf.reshape(ordered, shape)];
  return tf.split(tf.reshape(ordered, [rows.phases, -1]), rows.phases).map((own) => tf.reshape(own, shape));
}

function turn(x: tf.Tensor, axis: number): tf.Tensor {
  return x.shape[axis] === 1 ? x : tf.reverse(x, axis);
}

/** For each residue of rows [B, M, N, b * C] -> [B, H, W, C], line m of residue a at s m + a, in ranks up to 4. */
function interleave(
  residues: readonly tf.Tensor4D[],
  rows: Axis,
  columns: Axis,
  inputShape: readonly [number, number, number, number],
): tf.Tensor4D {
  const [batch, m, n] = (residues[0] as tf.Tensor4D).shape;
  const channels = inputShape[3];
  // Residues that meet no tap are zero.
  const columnGap = (columns.stride - columns.phases) * channels;
  const line = n * columns.stride * channels;
  const lines = residues.map((map) => {
    const full = columnGap > 0 ? tf.pad(tf.reshape(map, [-1, columns.phases * channels]), [[0, 0], [0, columnGap]]) : map; // biome-ignore format: one pair an axis
    return tf.reshape(full, [batch * m, line]);
  });
  let map: tf.Tensor = lines.length === 1 ? (lines[0] as tf.Tensor) : tf.concat(lines, 1);
  const rowGap = (rows.stride - rows.phases) * line;
  if (rowGap > 0) map = tf.pad(map, [[0, 0], [0, rowGap]]); // biome-ignore format: one pair an axis
  const [height, width] = [m * rows.stride, n * columns.stride];
  if (height !== rows.size || width !== columns.size) {
    // Whole lines: on wasm a slice costs by its runs.
    const full = tf.reshape(map, [batch, height, width * channels]) as tf.Tensor3D;
    const start: [number, number, number] = [0, rows.start, columns.start * channels];
    map = tf.slice(full, start, [batch, rows.size, columns.size * channels]);
  }
  return tf.reshape(map, [...inputShape]);
}
