import { BatchNorm, Conv2d, DepthwiseConv, LayerNorm, Linear, Module, Pointwise } from '@saccade/nn';
import { gelu, type Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/** Options of {@link DgtStem}. */
export interface DgtStemOptions {
  /** of each of the convolutions */
  readonly strides: readonly number[];
  readonly rng: Rng;
}

/**
 * The stem of DGT: convolutions of 3x3 with zero padding of 1, each followed by GELU, then BatchNorm.
 *
 * ```
 * x = bn{i}(gelu(conv{i}(x)))
 * ```
 *
 * [B, H, W, I] -> [B, ceil(H/s), ceil(W/s), O], s the product of the strides. State: `conv{i}`, `bn{i}`. The abstract of
 * arXiv 2203.03937 names a convolutional stem; three convolutions in this order are inferred from the public code of CMT.
 */
export class DgtStem extends Module {
  readonly convs: readonly Conv2d[];
  readonly norms: readonly BatchNorm[];

  constructor(inputs: number, outputs: number, { strides, rng }: DgtStemOptions) {
    super();
    const layers = strides.map((stride, i) => ({
      conv: this.child(
        `conv${i}`,
        new Conv2d(i === 0 ? inputs : outputs, outputs, { kernel: 3, stride, padding: 1, rng }),
      ),
      norm: this.child(`bn${i}`, new BatchNorm(outputs)),
    }));
    this.convs = layers.map(({ conv }) => conv);
    this.norms = layers.map(({ norm }) => norm);
  }

  forward(x: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() =>
      this.convs.reduce(
        (map, conv, i) => tf.tidy(() => (this.norms[i] as BatchNorm).forward(gelu(conv.forward(map)))),
        x,
      ),
    );
  }
}

/** How a merge cuts its map: overlapping patches of 3x3 with zero padding of 1, or whole patches of 2x2. */
export type MergeKernel = 2 | 3;

/** Options of {@link DgtMerge}. */
export interface DgtMergeOptions {
  readonly kernel: MergeKernel;
  readonly rng: Rng;
}

/**
 * What stands before every stage: a convolution with stride 2 that halves the map, then LayerNorm over channels (eps 1e-6).
 *
 * [B, H, W, I] -> [B, ceil(H/2), ceil(W/2), O] with the 3x3 kernel, floor with 2x2. State: `conv`, `norm`.
 */
export class DgtMerge extends Module {
  readonly conv: Conv2d;
  readonly norm: LayerNorm;

  constructor(inputs: number, outputs: number, { kernel, rng }: DgtMergeOptions) {
    super();
    this.conv = this.child(
      'conv',
      new Conv2d(inputs, outputs, { kernel, stride: 2, padding: mergePadding(kernel), rng }),
    );
    this.norm = this.child('norm', new LayerNorm(outputs, 1e-6));
  }

  forward(x: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => this.norm.forward(this.conv.forward(x)));
  }
}

/** Zeros on every side of the map that a merge convolves. */
export function mergePadding(kernel: MergeKernel): number {
  return kernel === 3 ? 1 : 0;
}

/**
 * Conditional position embedding: `y = x + DW3(x)`, a depthwise 3x3 convolution with zero padding of 1 and bias, whose zeros
 * at the borders tell where a position is. [B, H, W, C] -> the same shape. State: `weight` [C, 1, 3, 3], `bias` [C].
 * Source: Chu et al., arXiv 2102.10882; named in the abstract of arXiv 2203.03937.
 */
export class ConditionalPositionEmbedding extends Module {
  readonly conv: DepthwiseConv;

  constructor(channels: number, { rng }: { readonly rng: Rng }) {
    super();
    this.conv = this.child('', new DepthwiseConv(channels, { kernel: [3, 3], rng }));
  }

  forward(x: tf.Tensor4D): tf.Tensor4D {
    return tf.tidy(() => tf.add(x, this.conv.forward(x)));
  }
}

/** Options of {@link DgtHead}. */
export interface DgtHeadOptions {
  /** channels between the 1x1 convolution and the classifier */
  readonly width: number;
  readonly numClasses: number;
  readonly rng: Rng;
}

/**
 * The classifier of DGT: `fc(mean over positions of silu(BN(conv(x))))`, conv 1x1; silu(x) = x sigmoid(x).
 *
 * [B, H, W, C] -> logits [B, classes]. State: `conv`, `bn`, `fc`. Inferred from the public code of CMT.
 */
export class DgtHead extends Module {
  readonly conv: Pointwise;
  readonly bn: BatchNorm;
  readonly width: number;
  #fc: Linear;

  constructor(channels: number, { width, numClasses, rng }: DgtHeadOptions) {
    super();
    this.width = width;
    this.conv = this.child('conv', new Pointwise(channels, width, { dimensions: 2, rng }));
    this.bn = this.child('bn', new BatchNorm(width));
    this.#fc = this.child('fc', new Linear(width, numClasses, { rng: rng.fork('fc') }));
  }

  /** The last layer. */
  get fc(): Linear {
    return this.#fc;
  }

  forward(x: tf.Tensor4D): tf.Tensor2D {
    return tf.tidy(() => this.#fc.forward(this.pool(x)));
  }

  /** The map of the last stage -> what the last layer reads, [B, width]. */
  pool(x: tf.Tensor4D): tf.Tensor2D {
    return tf.tidy(() => {
      const y = this.bn.forward(this.conv.forward(x));
      const silu = tf.mul(y, tf.sigmoid(y));
      return tf.mean(tf.reshape(silu, [x.shape[0], -1, this.width]), 1) as tf.Tensor2D;
    });
  }

  /** A new, untrained last layer in the place of the old one, which is freed. */
  reset(numClasses: number, rng: Rng): void {
    this.#fc.dispose();
    this.#fc = this.child('fc', new Linear(this.width, numClasses, { rng }).train(this.training));
  }
}
