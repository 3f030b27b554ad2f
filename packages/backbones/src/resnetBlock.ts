import {
  BatchNorm,
  Conv2d,
  type FeatureGate,
  type FeatureGateSpec,
  kaimingNormal,
  Module,
  ModuleList,
} from '@saccade/nn';
import { type Rng, temporalShift } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { type BottleneckPlan, EXPANSION } from './resnetConfig.ts';

/** What a bottleneck does along time. Its maps are frames: [B*T, H, W, C]. */
export interface TemporalOptions {
  /** T */
  readonly frames: number;
  /** see `temporalShift` of tensor-ops; default: no shift */
  readonly shiftDiv?: number | undefined;
}

/** Options of {@link Bottleneck}. */
export interface BottleneckOptions extends Omit<BottleneckPlan, 'inserts'> {
  /** default: every map is an image for itself */
  readonly temporal?: TemporalOptions | undefined;
  readonly gate?: FeatureGateSpec | undefined;
  readonly rng: Rng;
}

/**
 * ResNet's bottleneck, version 1.5 (its stride is that of the 3x3 convolution), with a temporal shift and a gate:
 *
 * ```
 * y = relu(bn1(conv1(shift(x))));  y = relu(gate(bn2(conv2(y))));  y = relu(bn3(conv3(y)) + r)
 * ```
 *
 * r is x, unshifted, through `downsample` (1x1 convolution with the stride, BatchNorm) where the shape changes. conv1 and
 * conv3 are 1x1, no convolution has a bias. [B*T, H, W, inputs] -> [B*T, H/s, W/s, 4 planes]. State as in torchvision; the
 * gate's under the name that its spec says. Sources: He et al., arXiv 1512.03385; Lin et al., TSM, arXiv 1811.08383
 * (the shift on the residual branch, "blockres"); Hao et al., Attention in Attention, arXiv 2204.09303 (the gate).
 */
export class Bottleneck extends Module {
  readonly conv1: Conv2d;
  readonly bn1: BatchNorm;
  readonly conv2: Conv2d;
  readonly bn2: BatchNorm;
  readonly conv3: Conv2d;
  readonly bn3: BatchNorm;
  readonly gate: FeatureGate | undefined;
  readonly downsample: ModuleList<Conv2d | BatchNorm> | undefined;
  readonly #temporal: TemporalOptions;

  constructor({ inputs, planes, stride, temporal = { frames: 1 }, gate, rng }: BottleneckOptions) {
    super();
    const outputs = planes * EXPANSION;
    this.#temporal = temporal;
    this.conv1 = this.child('conv1', convolution(inputs, planes, 1, 1, rng));
    this.bn1 = this.child('bn1', new BatchNorm(planes));
    this.conv2 = this.child('conv2', convolution(planes, planes, 3, stride, rng));
    this.bn2 = this.child('bn2', new BatchNorm(planes));
    this.conv3 = this.child('conv3', convolution(planes, outputs, 1, 1, rng));
    this.bn3 = this.child('bn3', new BatchNorm(outputs));
    this.gate = gate
      ? this.child(gate.stateName ?? 'gate', gate.create({ channels: planes, rng: rng.fork('gate') }))
      : undefined;
    this.downsample =
      stride === 1 && inputs === outputs
        ? undefined
        : this.child(
            'downsample',
            new ModuleList([convolution(inputs, outputs, 1, stride, rng), new BatchNorm(outputs)]),
          );
  }

  /** @throws ShapeError if `frames` do not divide the batch of a shifted or gated bottleneck */
  forward(x: tf.Tensor4D): tf.Tensor4D {
    // A scope a line: what a line needs is freed before the next one runs.
    return tf.tidy(() => {
      const reduced = tf.tidy(() => tf.relu(this.bn1.forward(this.conv1.forward(this.#shifted(x)))));
      const spatial = tf.tidy(() => tf.relu(this.gated(this.bn2.forward(this.conv2.forward(reduced)))));
      const branch = tf.tidy(() => this.bn3.forward(this.conv3.forward(spatial)));
      return tf.relu(tf.add(branch, this.#shortcut(x)));
    });
  }

  /** The gate, where there is one, on a map of frames [B*T, H, W, planes]. */
  gated(maps: tf.Tensor4D): tf.Tensor4D {
    const { gate } = this;
    if (!gate) return maps;
    const [total, ...map] = maps.shape;
    const { frames } = this.#temporal;
    return tf.tidy(() => tf.reshape(gate.forward(tf.reshape(maps, [total / frames, frames, ...map])), maps.shape));
  }

  #shifted(x: tf.Tensor4D): tf.Tensor4D {
    const { frames, shiftDiv } = this.#temporal;
    return shiftDiv === undefined ? x : temporalShift(x, { frames, shiftDiv });
  }

  #shortcut(x: tf.Tensor4D): tf.Tensor4D {
    return this.downsample ? this.downsample.items.reduce((y, layer) => layer.forward(y), x) : x;
  }
}

/** A convolution as ResNets have them: padding of half a kernel, no bias, Kaiming's initialisation by fan-out. */
export function convolution(inputs: number, outputs: number, kernel: number, stride: number, rng: Rng): Conv2d {
  const init = kaimingNormal(rng, kernel * kernel * outputs);
  return new Conv2d(inputs, outputs, { kernel, stride, padding: (kernel - 1) / 2, bias: false, init, rng });
}
