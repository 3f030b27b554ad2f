import { LisaSelfAttention, lisaAttention } from '@saccade/lisa';
import { splitHeads } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { differentiate } from '../differentiate.ts';
import type { Handler } from '../handler.ts';
import { gridOf, optionsOf } from './settings.ts';

/** The full layer, forward and all gradients, and what the operator gives to the last projection. */
export const layer: Handler = {
  family: 'lisa',
  kind: /^layer$/,
  async replay(golden, checks) {
    const [grid, heads] = [gridOf(golden), golden.number('heads')];
    using layer = new LisaSelfAttention({ ...optionsOf(golden), dim: golden.number('C'), heads, grid });
    layer.loadStateDict(golden.state('state.'));
    const input = golden.tensor<tf.Tensor3D>('input');
    const between = tf.tidy(() => {
      const [q, k, v] = tf.split(layer.qkv.forward(input), 3, -1) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
      return splitHeads(lisaAttention(q, k, v, layer.tables(), { ...optionsOf(golden), heads, grid }), heads);
    });
    await checks.tensors('forward', { 'tap.operator_out': between });
    const { output, gradInput, gradients } = await differentiate(layer, input, golden.tensor('grad_output'), (x) =>
      layer.forward(x as tf.Tensor3D, grid),
    );
    await checks.tensors('forward', { output });
    await checks.tensors('gradients', { grad_input: gradInput });
    checks.under('gradients', 'grad.', gradients);
  },
};
