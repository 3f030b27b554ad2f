import {
  addBias,
  depthwiseConv2d,
  depthwiseConv3d,
  patchEmbed2d,
  patchEmbed3d,
  product,
  type Rng,
} from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { fanInUniform } from './initializers.ts';
import { convLayout, depthwiseLayout } from './layout.ts';
import { Module } from './Module.ts';
import { LayerNorm } from './normalization.ts';
import type { Parameter } from './parameter.ts';

/** A map of features: [B, H, W, C] of images, [B, T, H, W, C] of clips. */
export type FeatureMap = tf.Tensor4D | tf.Tensor5D;

/** Options of {@link DepthwiseConv}. */
export interface DepthwiseConvOptions {
  /** odd sizes, [kh, kw] or [kt, kh, kw] */
  readonly kernel: readonly number[];
  readonly rng: Rng;
}

/**
 * Depthwise convolution of a map, zero padding of half a kernel, stride 1, with bias; shape is kept.
 *
 * State: `weight` [C, 1, ...kernel], `bias` [C].
 */
export class DepthwiseConv extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(channels: number, { kernel, rng }: DepthwiseConvOptions) {
    super();
    const init = fanInUniform(rng, product(kernel));
    this.weight = this.parameter('weight', [...kernel, channels, 1], { init, layout: depthwiseLayout });
    this.bias = this.parameter('bias', [channels], { init });
  }

  forward<M extends FeatureMap>(x: M): M {
    this.assertUsable();
    const filter = this.weight.variable;
    return tf.tidy(() => {
      const y =
        filter.rank === 5
          ? depthwiseConv3d(x as tf.Tensor5D, filter as tf.Tensor5D)
          : depthwiseConv2d(x as tf.Tensor4D, filter as tf.Tensor4D);
      return addBias(y, this.bias.variable as tf.Tensor1D) as M;
    });
  }
}

/** Options of {@link PatchEmbed}. */
export interface PatchEmbedOptions {
  /** [p, p] for images, [kt, p, p] for clips; space moves by whole patches */
  readonly kernel: readonly number[];
  /** clips only; default 1 */
  readonly temporalStride?: number;
  /** clips only: zero frames on either side; default 0 */
  readonly temporalPadding?: number;
  /** LayerNorm after the convolution, as in UniFormer; ViT has none; default true */
  readonly norm?: boolean;
  readonly rng: Rng;
}

/**
 * Patch embedding: a convolution of patches, then LayerNorm over channels (eps 1e-5), [B, (T,) H, W, I] -> a map of O.
 *
 * State: `proj.weight` [O, I, ...kernel], `proj.bias` [O], and unless it has no norm `norm.weight`, `norm.bias` [O].
 */
export class PatchEmbed extends Module {
  readonly proj: PatchConv;
  readonly norm: LayerNorm | undefined;

  constructor(inputs: number, outputs: number, { norm = true, ...options }: PatchEmbedOptions) {
    super();
    this.proj = this.child('proj', new PatchConv(inputs, outputs, options));
    this.norm = norm ? this.child('norm', new LayerNorm(outputs, 1e-5)) : undefined;
  }

  forward<M extends FeatureMap>(x: M): M {
    return tf.tidy(() => {
      const y = this.proj.forward(x);
      return this.norm ? this.norm.forward(y) : y;
    });
  }
}

/** The convolution of {@link PatchEmbed}; starts as PyTorch convolutions do. */
class PatchConv extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly #time: { stride: number; padding: number };

  constructor(
    inputs: number,
    outputs: number,
    { kernel, temporalStride = 1, temporalPadding = 0, rng }: Omit<PatchEmbedOptions, 'norm'>,
  ) {
    super();
    const init = fanInUniform(rng, inputs * product(kernel));
    this.weight = this.parameter('weight', [...kernel, inputs, outputs], { init, layout: convLayout });
    this.bias = this.parameter('bias', [outputs], { init });
    this.#time = { stride: temporalStride, padding: temporalPadding };
  }

  forward<M extends FeatureMap>(x: M): M {
    this.assertUsable();
    const weight = this.weight.variable;
    const bias = this.bias.variable as tf.Tensor1D;
    return (
      weight.rank === 5
        ? patchEmbed3d(x as tf.Tensor5D, weight as tf.Tensor5D, bias, this.#time)
        : patchEmbed2d(x as tf.Tensor4D, weight as tf.Tensor4D, bias)
    ) as M;
  }
}
