import type { Rng } from '@saccade/tensor-ops';
import type * as tf from '@tensorflow/tfjs-core';
import type { Cost } from './cost.ts';
import type { Grid } from './grid.ts';
import type { Module } from './Module.ts';

/**
 * Exchanges information between tokens on a grid: `x` [B, P + N, C] -> [B, P + N, C]. Every attention operator is one.
 *
 * The first P tokens are the prefix tokens that the mixer was built for, 0 unless its context said otherwise; the N others
 * fill `grid` in row-major order.
 */
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
  /** the grid for which a model is built, where it is built for one: for mixers whose weights depend on it */
  readonly grid?: Grid;
  /** P, tokens that stand before those of the grid and have no place on it, such as a class token; default 0 */
  readonly prefixTokens?: number;
  /** bias of the projection to queries, keys and values; default true */
  readonly qkvBias?: boolean;
  readonly rng: Rng;
}

/** On what the cost of a mixer depends, for one sample. */
export interface MixerCostContext extends Pick<MixerContext, 'dim' | 'heads' | 'prefixTokens' | 'qkvBias'> {
  readonly grid: Grid;
  /** the grid that the mixer was built for, where it is not that of this sample; default: `grid` */
  readonly weightsGrid?: Grid;
}

/**
 * An operator with its options, before it knows where it will stand: what a backbone's stage is given.
 *
 * `structSA({detectors: 4})`, `plainAttention()`: calling it makes a spec, the backbone makes the modules.
 */
export interface MixerSpec {
  /** a short name for summaries, with the options that matter */
  readonly name: string;
  /** true: its mixers can be built for prefix tokens; backbones that have some refuse any other mixer; default false */
  readonly takesPrefixTokens?: boolean;
  create(context: MixerContext): TokenMixer;
  cost(context: MixerCostContext): Cost;
}
