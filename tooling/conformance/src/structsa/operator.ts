import type { StructSelfAttention } from '@saccade/structsa';
import { structAttention, structureSets } from '@saccade/structsa';
import { attentionWeights, splitHeads } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { differentiate } from '../differentiate.ts';
import type { Golden } from '../Golden.ts';
import type { Handler } from '../handler.ts';
import { gridOf, layerOf, projections } from './layer.ts';

/** The full layer, forward and all gradients; with `tap.*`, also what it computes on the way. */
export const operator: Handler = {
  family: 'structsa',
  kind: /^operator$/,
  async replay(golden, checks) {
    using layer = layerOf(golden);
    const { output, gradInput, gradients } = await differentiate(
      layer,
      golden.tensor('input'),
      golden.tensor('grad_output'),
      (x) => layer.forward(x as tf.Tensor3D, gridOf(golden)),
    );
    await checks.tensors('forward', { output });
    await checks.tensors('gradients', { grad_input: gradInput });
    checks.under('gradients', 'grad.', gradients);
    if (golden.names('tap.').length > 0) await checks.tensors('forward', taps(layer, golden));
  },
};

function taps(layer: StructSelfAttention, golden: Golden): Record<string, tf.Tensor> {
  const { heads, stride } = layer;
  const grid = gridOf(golden);
  return tf.tidy(() => {
    const [q, k, v] = projections(layer, golden.tensor('input'));
    const [convK, convV] = [layer.convK.value, layer.convV.value];
    // D sets [B, L, C] each -> D sets [B, h, L, C/h]
    const keys = structureSets(k, convK, grid, stride).map((set) => splitHeads(set, heads));
    const values = structureSets(v, convV, grid, stride).map((set) => splitHeads(set, heads));
    return {
      'tap.k': k,
      'tap.v': v,
      'tap.K': tf.stack(keys, 3),
      'tap.V': tf.stack(values, 3),
      'tap.A': tf.transpose(attentionWeights(splitHeads(q, heads), keys), [1, 2, 3, 4, 0]),
      'tap.pre_proj': structAttention(q, k, v, convK, convV, { grid, heads, stride }),
    };
  });
}
