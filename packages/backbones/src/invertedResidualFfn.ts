import {
  BatchNorm,
  type Cost,
  DepthwiseConv,
  depthwiseCost,
  linearCost,
  Module,
  normCost,
  Pointwise,
} from '@saccade/nn';
import { gelu, type Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';

/** Options of {@link InvertedResidualFfn}. */
export interface InvertedResidualFfnOptions {
  /** channels between the two 1x1 convolutions, r C */
  readonly hidden: number;
  readonly rng: Rng;
}

/**
 * Inverted residual feed-forward network: an MLP that looks at the neighbours of each position too.
 *
 * ```
 * h = BN1(GELU(conv1(x)));  h = BN2(GELU(h + DW3(h)));  y = BN3(conv2(h))
 * ```
 *
 * `x` [B, H, W, C] -> the same shape; conv1 and conv2 are 1x1, DW3 is a depthwise 3x3 with zero padding of 1, all with bias;
 * GELU is exact. State: `conv1`, `bn1`, `dw`, `bn2`, `conv2`, `bn3`. The abstract of arXiv 2203.03937 names such a network;
 * its form is inferred from the public code of CMT (Guo et al., arXiv 2107.06263).
 */
export class InvertedResidualFfn extends Module {
  readonly conv1: Pointwise;
  readonly bn1: BatchNorm;
  readonly dw: DepthwiseConv;
  readonly bn2: BatchNorm;
  readonly conv2: Pointwise;
  readonly bn3: BatchNorm;

  constructor(channels: number, { hidden, rng }: InvertedResidualFfnOptions) {
    super();
    this.conv1 = this.child('conv1', new Pointwise(channels, hidden, { dimensions: 2, rng }));
    this.bn1 = this.child('bn1', new BatchNorm(hidden));
    this.dw = this.child('dw', new DepthwiseConv(hidden, { kernel: [3, 3], rng }));
    this.bn2 = this.child('bn2', new BatchNorm(hidden));
    this.conv2 = this.child('conv2', new Pointwise(hidden, channels, { dimensions: 2, rng }));
    this.bn3 = this.child('bn3', new BatchNorm(channels));
  }

  forward(x: tf.Tensor4D): tf.Tensor4D {
    // A scope a line: the maps in between are the widest of the network.
    return tf.tidy(() => {
      const wide = tf.tidy(() => this.bn1.forward(gelu(this.conv1.forward(x))));
      const local = tf.tidy(() => this.bn2.forward(gelu(tf.add(wide, this.dw.forward(wide)) as tf.Tensor4D)));
      return this.bn3.forward(this.conv2.forward(local));
    });
  }
}

/** The layers of {@link InvertedResidualFfn} on maps of `positions` positions. */
export function invertedResidualFfnCosts(positions: number, channels: number, hidden: number): Cost[] {
  return [
    linearCost(positions, channels, hidden),
    normCost(positions, hidden),
    depthwiseCost(positions, hidden, 9),
    normCost(positions, hidden),
    linearCost(positions, hidden, channels),
    normCost(positions, channels),
  ];
}
