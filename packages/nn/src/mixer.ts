import type { Rng } from '@saccade/tensor-ops';
import type * as tf from '@tensorflow/tfjs-core';
import type { Cost } from './cost.ts';
import type { Grid } from './grid.ts';
import type { Module } from './Module.ts';

/** Exchanges information between tokens on a grid: `x` [B, N, C] -> [B, N, C]. Every attention operator is one. */
export interface TokenMixer extends Module {
  forward(x: tf.Tensor3D, grid: Grid): tf.Tensor3D;
}

/** What a backbone tells a mixer that it builds. */
export interface MixerContext {
  /** channels C */
  readonly dim: number;
  /** heads h; head_dim = C/h */
  readonly heads: number;
  /** 2 for images, 3 for clips */
  readonly gridRank: 2 | 3;
  readonly rng: Rng;
}

/**
 * An operator with its options, before it knows where it will stand: what a backbone's stage is given.
 *
 * `structSA({detectors: 4})`, `plainAttention()`: calling it makes a spec, the backbone makes the modules.
 */
export interface MixerSpec {
  /** a short name for summaries, with the options that matter */
  readonly name: string;
  create(context: MixerContext): TokenMixer;
  /** for one sample on `grid` */
  cost(context: Pick<MixerContext, 'dim' | 'heads'> & { readonly grid: Grid }): Cost;
}
