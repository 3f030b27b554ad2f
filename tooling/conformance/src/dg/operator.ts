import { DgSelfAttention, dynamicGroupAttention } from '@saccade/dg-attention';
import type { Grid } from '@saccade/nn';
import { attention, l2Normalize, mergeHeads, splitHeads } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { Checks } from '../Checks.ts';
import { differentiate } from '../differentiate.ts';
import type { Golden } from '../Golden.ts';
import type { Handler } from '../handler.ts';

/**
 * The layer, forward and all gradients, with its routing; where every group has all keys, also against attention between
 * all tokens.
 */
export const operator: Handler = {
  family: 'dg',
  kind: /^operator$/,
  async replay(golden, checks) {
    using layer = layerOf(golden, 'state.');
    layer.eval();
    const routing = recordRouting(layer);
    const { output, gradInput, gradients } = await differentiate(
      layer,
      golden.tensor('input'),
      golden.tensor('grad_output'),
      (x) => layer.forward(x as tf.Tensor3D, gridOf(golden)),
    );
    await compareRouting(routing, checks);
    await checks.tensors('forward', { output });
    await checks.tensors('gradients', { grad_input: gradInput });
    checks.under('gradients', 'grad.', gradients);
    await checks.tensors('forward', taps(layer, golden));
  },
};

/** [H, W] of the tokens. */
export function gridOf(golden: Golden): Grid {
  return [golden.number('H'), golden.number('W')];
}

/** The layer that a file describes, with the weights under `prefix`. */
export function layerOf(golden: Golden, prefix: string, options: { readonly ema?: 'step' | 'literal' } = {}) {
  const layer = new DgSelfAttention({
    dim: golden.number('C'),
    heads: golden.number('heads'),
    groups: golden.number('G'),
    topK: golden.number('k'),
    attention: golden.states('attention') ? (golden.text('attention') as 'dot' | 'cosine') : 'dot',
    assign: golden.text('assign') as 'dot' | 'euclid',
    ...options,
  });
  layer.loadStateDict(golden.state(prefix));
  return layer;
}

/** What the layer decided in its last forward pass. */
export interface RecordedRouting {
  assignment?: tf.Tensor3D;
  keys?: tf.Tensor4D;
}

/** Keeps the routing of the next forward passes. */
export function recordRouting(layer: DgSelfAttention): RecordedRouting {
  const recorded: RecordedRouting = {};
  layer.recorder = {
    receive({ assignment, keys }) {
      tf.dispose([recorded.assignment ?? [], recorded.keys ?? []]);
      recorded.assignment = tf.keep(tf.clone(assignment));
      recorded.keys = tf.keep(tf.clone(keys));
    },
  };
  return recorded;
}

/** Compares decisions, exactly: groups one by one, the keys of a group as a set. Disposes them. */
export async function compareRouting(
  { assignment, keys }: RecordedRouting,
  checks: Checks,
  prefix = 'route.',
): Promise<void> {
  const { shape } = keys as tf.Tensor4D;
  const sorted = Int32Array.from(await (keys as tf.Tensor4D).data());
  for (let at = 0; at < sorted.length; at += shape[3]) sorted.subarray(at, at + shape[3]).sort();
  keys?.dispose();
  await checks.tensors('exact', { [`${prefix}assign`]: assignment as tf.Tensor3D });
  checks.values('exact', `${prefix}topk_sorted`, { shape, data: sorted });
}

function taps(layer: DgSelfAttention, golden: Golden): Record<string, tf.Tensor> {
  return tf.tidy(() => {
    const { heads, logitScale, options } = layer;
    const parts = tf.split(layer.qkv.forward(golden.tensor<tf.Tensor3D>('input')), 3, -1);
    const [q, k, v] = parts as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
    const centroids = layer.centroids.variable as unknown as tf.Tensor3D;
    const scale = logitScale ? { logitScale: logitScale.variable } : {};
    const y = dynamicGroupAttention(q, k, v, centroids, { ...options, heads, ...scale });
    const perHead = { 'tap.attn_out': splitHeads(y, heads) };
    if (!golden.has('output.global')) return perHead;
    const [qh, kh, vh] = [q, k, v].map((x) => splitHeads(x, heads)) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D];
    const all = logitScale
      ? attention(tf.mul(l2Normalize(qh), tf.exp(logitScale.variable)), l2Normalize(kh), vh, { scale: 1 })
      : attention(qh, kh, vh);
    return { ...perHead, 'output.global': layer.proj.forward(mergeHeads(all)) };
  });
}
