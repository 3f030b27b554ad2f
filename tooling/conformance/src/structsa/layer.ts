import type { Grid } from '@saccade/nn';
import { type SharedFilters, StructSelfAttention } from '@saccade/structsa';
import * as tf from '@tensorflow/tfjs-core';
import type { Golden } from '../Golden.ts';

/** The grid of the tokens. */
export function gridOf(golden: Golden): Grid {
  return golden.numbers('grid') as unknown as Grid;
}

/** The layer that a file describes, with its weights. */
export function layerOf(golden: Golden): StructSelfAttention {
  const layer = new StructSelfAttention({
    dim: golden.number('C'),
    heads: golden.number('heads'),
    gridRank: gridOf(golden).length as 2 | 3,
    detectors: golden.number('D'),
    kernelK: golden.numbers('kernel_k'),
    kernelV: golden.numbers('kernel_v'),
    stride: golden.numbers('stride').at(-1) as number,
    qkvBias: golden.number('qkv_bias') === 1,
    sharedFilters: golden.text('shared_filters') as SharedFilters,
  });
  layer.loadStateDict(golden.state('state.'));
  return layer;
}

/** Queries, keys and values as the layer projects them, [B, N, C] each. */
export function projections(layer: StructSelfAttention, x: tf.Tensor3D): [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D] {
  return tf.split(layer.qkv.forward(x), 3, -1) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
}
