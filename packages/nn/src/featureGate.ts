import type { Rng } from '@saccade/tensor-ops';
import type * as tf from '@tensorflow/tfjs-core';
import type { Cost } from './cost.ts';
import type { Module } from './Module.ts';

/**
 * Weighs the features of clips by what it reads in them: `x` [B, T, H, W, C] -> the same shape. Images are clips of one
 * frame. The Attention-in-Attention operators are gates; {@link SqueezeExcitation} is the plain one.
 */
export interface FeatureGate extends Module {
  forward(x: tf.Tensor5D): tf.Tensor5D;
}

/** What a backbone tells a gate that it builds. */
export interface GateContext {
  /** C of the map that is gated */
  readonly channels: number;
  readonly rng: Rng;
}

/** On what the cost of a gate depends, for one clip. */
export interface GateCostContext extends Pick<GateContext, 'channels'> {
  /** [T, H, W] */
  readonly grid: readonly [frames: number, height: number, width: number];
}

/**
 * A gate with its options, before it knows where it will stand: what a backbone is given, once for all of its blocks.
 *
 * `squeezeExcitation({reduction: 16})`: calling it makes a spec, the backbone makes the modules.
 */
export interface FeatureGateSpec {
  /** a short name for summaries and metadata, with the options that matter */
  readonly name: string;
  /**
   * Under which name of the block the gate's state stands; default `gate`. Empty: the names of its parts stand among those
   * of the block, for gates whose checkpoints have it so.
   */
  readonly stateName?: string;
  create(context: GateContext): FeatureGate;
  cost(context: GateCostContext): Cost;
}
