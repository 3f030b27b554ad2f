import { kernelizedSums, type LisaTables, lisaAttention, lisaMaps } from '@saccade/lisa';
import { mergeHeads, product, splitHeads } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { Checks } from '../Checks.ts';
import type { Golden } from '../Golden.ts';
import type { Handler } from '../handler.ts';
import { gridOf, optionsOf } from './settings.ts';

/** The operator alone, forward and all gradients; with `tap.*`, also what it computes on the way. */
export const operator: Handler = {
  family: 'lisa',
  kind: /^operator$/,
  async replay(golden, checks) {
    const { mode } = optionsOf(golden);
    const heads = golden.number('heads');
    const options = { ...optionsOf(golden), heads, grid: gridOf(golden) };
    const names = ['q', 'k', 'v', ...(mode === 'structure' ? ['P', 'U'] : ['R'])];
    const tablesOf = ([first, second]: tf.Tensor[]): LisaTables =>
      mode === 'structure' ? { mode, p: first as tf.Tensor, u: second as tf.Tensor } : { mode, r: first as tf.Tensor };
    // Files have q, k, v and results as heads [B, h, N, c], the operator takes and gives tokens [B, N, C].
    const attend = (...[q, k, v, ...tables]: tf.Tensor[]) => {
      const [queries, keys, values] = [q, k, v].map((x) => mergeHeads(x as tf.Tensor4D)) as Tokens;
      return splitHeads(lisaAttention(queries, keys, values, tablesOf(tables), options), heads);
    };
    const inputs = names.map((name) => golden.tensor(name));
    await checks.tensors('forward', { output: tf.tidy(() => attend(...inputs)) });
    const gradients = tf.tidy(() => tf.grads(attend)(inputs, golden.tensor('grad_output')));
    await checks.tensors(
      'gradients',
      Object.fromEntries(names.map((name, i) => [`grad.${name}`, gradients[i] as tf.Tensor])),
    );
    await compareTaps(golden, checks, () => {
      const [q, k, v] = inputs.slice(0, 3).map((x) => mergeHeads(x as tf.Tensor4D)) as Tokens;
      const tables = tablesOf(inputs.slice(3));
      const queries = Array.from({ length: product(options.grid) }, (_, n) => n);
      const maps = lisaMaps(q, k, tables, { ...options, queries });
      if (tables.mode !== 'kernelized') {
        return { 'tap.patterns': maps.patterns, 'tap.kernel0': maps.attention, 'tap.kernel1': maps.kernel };
      }
      const { numerator, denominator } = kernelizedSums(q, k, v, tables.r, options);
      return { 'output.unnormalised': numerator, 'tap.denominator': tf.squeeze(denominator, [3]) };
    });
    tf.dispose(inputs);
  },
};

type Tokens = [q: tf.Tensor3D, k: tf.Tensor3D, v: tf.Tensor3D];

/** Compares those of the results on the way that the file has. */
async function compareTaps(
  golden: Golden,
  checks: Checks,
  compute: () => Record<string, tf.Tensor | undefined>,
): Promise<void> {
  const held = tf.tidy(() =>
    Object.fromEntries(Object.entries(compute()).filter(([name, tensor]) => tensor && golden.has(name))),
  );
  await checks.tensors('forward', held as Record<string, tf.Tensor>);
}
