import { assertGrid, assertHeads, type Grid, Linear, type MixerSpec, Module, type TokenMixer } from '@saccade/nn';
import { Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { dgSelfAttentionCost } from './cost.ts';
import { dgAttention } from './dgAttention.ts';
import { dgMaps } from './maps.ts';

/** Options of {@link DgSelfAttention}. */
export interface DgSelfAttentionOptions {
  /** channels C */
  readonly dim: number;
  /** must divide dim */
  readonly heads: number;
  /** bias of the qkv projection; default true */
  readonly qkvBias?: boolean;
  /** seeds the weights; default: seed 0 */
  readonly rng?: Rng;
}

/** Takes the attention of chosen queries during a forward pass. */
export interface DgRecorder {
  /** row-major positions of the queries on the grid */
  readonly queries: readonly number[];
  /** called with maps [B, h, Q, N] that are freed when it returns: read or clone what is to be kept */
  receive(maps: tf.Tensor4D): void;
}

/**
 * The operator with its projections: `y = proj(dgAttention(q, k, v))`, `q, k, v = qkv(x)`.
 *
 * `x` [B, N, C] on `grid` -> [B, N, C]. State: `qkv.weight` [3C, C], `qkv.bias`, `proj.weight` [C, C], `proj.bias`.
 * See {@link dgAttention} for the mathematics and sources.
 */
export class DgSelfAttention extends Module implements TokenMixer {
  readonly heads: number;
  readonly qkv: Linear;
  readonly proj: Linear;
  /** Set it to receive attention maps from every forward pass; unset it when done. */
  recorder: DgRecorder | undefined;

  /** @throws ConfigError if heads do not divide dim */
  constructor({ dim, heads, qkvBias = true, rng = new Rng(0) }: DgSelfAttentionOptions) {
    super();
    assertHeads(dim, heads);
    this.heads = heads;
    this.qkv = this.child('qkv', new Linear(dim, 3 * dim, { bias: qkvBias, rng }));
    this.proj = this.child('proj', new Linear(dim, dim, { rng }));
  }

  /** @throws ShapeError if the grid does not have N positions */
  forward(x: tf.Tensor3D, grid: Grid): tf.Tensor3D {
    this.assertUsable();
    assertGrid(x.shape[1], grid);
    return tf.tidy(() => {
      const [q, k, v] = tf.split(this.qkv.forward(x), 3, -1) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
      const options = { grid, heads: this.heads };
      const recorder = this.recorder;
      if (recorder) tf.tidy(() => recorder.receive(dgMaps(q, k, { ...options, queries: recorder.queries })));
      return this.proj.forward(dgAttention(q, k, v, options));
    });
  }
}

/** The operator as a stage's mixer: `stages: [{mixer: dgMixer(), ...}]`. */
export function dgMixer(): MixerSpec {
  return {
    name: 'dg-attention',
    create: ({ dim, heads, rng }) => new DgSelfAttention({ dim, heads, rng }),
    cost: ({ dim, heads, grid }) => dgSelfAttentionCost({ dim, heads, grid }),
  };
}
