import { BatchNorm, convLayout, type FeatureMap, fanInUniform, Module, type Parameter } from '@saccade/nn';
import { assertShape, ConfigError, gelu, linear, type Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/**
 * A dense convolution of 3x3 with stride 2 and zero padding of 1: a map of half the size.
 *
 * `y[b,i,j,o] = bias[o] + sum_{u,v,c} x[b, 2i+u-1, 2j+v-1, c] * weight[u,v,c,o]`
 *
 * `x` [B, H, W, I], `weight` [3, 3, I, O], `bias` [O] -> [B, ceil(H/2), ceil(W/2), O], as PyTorch's
 * `Conv2d(3, stride=2, padding=1)`. It is computed as one matrix product over the nine shifted maps, since no backend's
 * dense convolution has a sound gradient everywhere.
 *
 * @throws ShapeError if the channels differ; ConfigError for another kernel
 */
export function halvingConv2d(x: tf.Tensor4D, weight: tf.Tensor4D, bias: tf.Tensor1D): tf.Tensor4D {
  const [kh, kw, channels, outputs] = weight.shape;
  if (kh !== 3 || kw !== 3) throw new ConfigError('weight', 'a kernel of 3x3', [kh, kw]);
  assertShape('x', x, ['B', 'H', 'W', channels]);
  const [batch, height, width] = x.shape;
  const [rows, columns] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  return tf.tidy(() => {
    const phases = evenAndOdd(x, rows + 1, columns + 1);
    // Tap (u, v) at output (i, j) is pixel (2i + u, 2j + v) of the padded map: of phase (u % 2, v % 2), half a tap further.
    const taps = [0, 1, 2].flatMap((u) =>
      [0, 1, 2].map((v) =>
        tf.slice(phases[u % 2]?.[v % 2] as tf.Tensor4D, [0, u >> 1, v >> 1, 0], [batch, rows, columns, channels]),
      ),
    );
    return linear(tf.concat(taps, 3), tf.reshape(weight, [9 * channels, outputs]), bias) as tf.Tensor4D;
  });
}

/**
 * The pixels of even and odd rows and columns of the padded map: `phases[a][b]` [B, rows, columns, C] has pixel
 * (2i + a - 1, 2j + b - 1) of x, zero outside.
 */
function evenAndOdd(x: tf.Tensor4D, rows: number, columns: number): tf.Tensor4D[][] {
  const [batch, height, width, channels] = x.shape;
  const padded = tf.pad(x, [
    [0, 0],
    [1, 2 * rows - height - 1],
    [1, 2 * columns - width - 1],
    [0, 0],
  ]);
  // Ranks up to 4: webgpu slices wrongly from rank 5 on.
  const byRow = tf.split(tf.reshape(padded, [batch * rows, 2, 2 * columns * channels]), 2, 1);
  return byRow.map((half) =>
    tf
      .split(tf.reshape(half, [batch * rows * columns, 2, channels]), 2, 1)
      .map((quarter) => tf.reshape(quarter, [batch, rows, columns, channels]) as tf.Tensor4D),
  );
}

/** Options of {@link ConvStem}. */
export interface ConvStemOptions {
  /** how often the map is halved, at least 1 */
  readonly halvings: number;
  readonly rng: Rng;
}

/**
 * Overlapping patch embedding: convolutions of 3x3 with stride 2, each with BatchNorm, and GELU between them.
 *
 * ```
 * y = BN(conv(... gelu(BN(conv(x)))))
 * ```
 *
 * Images [B, H, W, I] -> [B, ceil(H / 2^n), ceil(W / 2^n), O] for n halvings; channels double from O / 2^(n-1) to O.
 * State: `proj.{3i}` (convolution [O, I, 3, 3]) and `proj.{3i + 1}` (BatchNorm), the places in PyTorch's Sequential, where
 * GELU has one too. Source: the public code of UniFormer (its `small_plus` models), not in the paper.
 */
export class ConvStem extends Module {
  readonly proj: HalvingConvs;

  constructor(inputs: number, outputs: number, options: ConvStemOptions) {
    super();
    this.proj = this.child('proj', new HalvingConvs(inputs, outputs, options));
  }

  forward<M extends FeatureMap>(x: M): M {
    return this.proj.forward(x as tf.Tensor4D) as M;
  }
}

/** The convolutions and norms of {@link ConvStem}. */
class HalvingConvs extends Module {
  readonly convs: readonly HalvingConv[];
  readonly norms: readonly BatchNorm[];

  constructor(inputs: number, outputs: number, { halvings, rng }: ConvStemOptions) {
    super();
    const widths = Array.from({ length: halvings }, (_, i) => outputs / 2 ** (halvings - 1 - i));
    const layers = widths.map((width, i) => ({
      conv: this.child(String(3 * i), new HalvingConv(widths[i - 1] ?? inputs, width, rng)),
      norm: this.child(String(3 * i + 1), new BatchNorm(width)),
    }));
    this.convs = layers.map(({ conv }) => conv);
    this.norms = layers.map(({ norm }) => norm);
  }

  forward(x: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() =>
      this.convs.reduce((map, conv, i) => {
        const y = (this.norms[i] as BatchNorm).forward(conv.forward(map));
        return i < this.convs.length - 1 ? gelu(y) : y;
      }, x),
    );
  }
}

/** {@link halvingConv2d} with its weights; starts as PyTorch convolutions do. */
class HalvingConv extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(inputs: number, outputs: number, rng: Rng) {
    super();
    const init = fanInUniform(rng, 9 * inputs);
    this.weight = this.parameter('weight', [3, 3, inputs, outputs], { init, layout: convLayout });
    this.bias = this.parameter('bias', [outputs], { init });
  }

  forward(x: tf.Tensor4D): tf.Tensor4D {
    this.assertUsable();
    return halvingConv2d(x, this.weight.variable as tf.Tensor4D, this.bias.variable as tf.Tensor1D);
  }
}
