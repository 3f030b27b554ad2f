import { attention, type GroupRouting, groupedAttention } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { FunctionWork } from '../support/functionWork.ts';
import { type Input, normalInput } from '../support/inputs.ts';
import { kernelRefusal } from '../support/kernels.ts';
import { sampleOutputs } from '../support/samples.ts';
import { at, BOTH, bothPaths, EXPLICIT, FORWARD, type OpCase, OURS, STOCK, sizesOf, sum } from './opCase.ts';

type Heads = readonly [q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D];

/** The heads of a ViT-S. */
const softmaxAttention = (heads: number, tokens: number, size: number): OpCase => {
  const [q, k, v] = headInputs(heads, tokens, size);
  const every = Array.from({ length: tokens }, (_, l) => l);
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: [q, k, v],
    outputShape: q.shape,
    samples: () =>
      sampleOutputs(q.shape, ([, h, n, e]) => attended(q, k, v, [h as number, n as number, e as number], every)),
    macs: 2 * heads * tokens * tokens * size,
  };
  const ours: FunctionWork['apply'] = (tensors) => attention(...(tensors as unknown as Heads));
  return {
    name: `attention/${sizesOf(heads, tokens, size)}`,
    parameters: { operation: 'attention', sizes: sizesOf(heads, tokens, size) },
    directions: BOTH,
    quick: FORWARD,
    works() {
      const few = () => tf.ones<tf.Rank.R4>([1, 1, 2, size]);
      const fused = kernelRefusal(() => attention(few(), few(), few())) === undefined;
      return [
        { ...common, name: STOCK, role: 'peer', apply: (tensors) => stockAttention(...(tensors as unknown as Heads)) },
        ...bothPaths(common, ours, fused),
      ];
    },
  };
};

function stockAttention(q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D): tf.Tensor {
  const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(q.shape[3]));
  return tf.matMul(tf.softmax(scores), v);
}

/**
 * Attention within groups that are given: stage 2 of a DGT, or as many tokens. TensorFlow.js has nothing like it: the
 * baseline is ours under a mask of all pairs, composed of its operations.
 */
const grouped = (heads: number, tokens: number, size: number, groups: number, topK: number): OpCase => {
  const [q, k, v] = headInputs(heads, tokens, size);
  const { assignment, keys } = routingInputs(heads, tokens, groups, topK);
  const common: Omit<FunctionWork, 'name' | 'apply'> = {
    inputs: [q, k, v, assignment, keys],
    outputShape: q.shape,
    samples: () =>
      sampleOutputs(q.shape, ([, h, n, e]) => {
        const [head, query] = [h as number, n as number];
        const group = at(assignment, 0, head, query);
        const own = Array.from({ length: topK }, (_, l) => at(keys, 0, head, group, l));
        return attended(q, k, v, [head, query, e as number], own);
      }),
    macs: 2 * heads * tokens * topK * size,
  };
  const ours: FunctionWork['apply'] = ([q, k, v, assignment, keys]) => {
    const routing = { assignment, keys } as unknown as GroupRouting;
    return groupedAttention(...([q, k, v] as unknown as Heads), routing);
  };
  const sizes = `${sizesOf(heads, tokens, size)}-G${groups}-k${topK}`;
  return {
    name: `groupedAttention/${sizes}`,
    parameters: { operation: 'groupedAttention', sizes },
    directions: BOTH,
    works: () => [
      { ...common, name: EXPLICIT, kernels: 'explicit', apply: ours },
      { ...common, name: OURS, apply: ours, explicit: true },
    ],
  };
};

function headInputs(heads: number, tokens: number, size: number): readonly [q: Input, k: Input, v: Input] {
  const rows = (name: string) => normalInput(name, [1, heads, tokens, size]);
  return [rows('q'), rows('k'), rows('v')];
}

/** Every group has queries and `topK` keys, which lie as far apart as they can. */
function routingInputs(heads: number, tokens: number, groups: number, topK: number) {
  const integers = (name: string, shape: readonly number[], value: (i: number) => number): Input => ({
    name,
    shape,
    values: Int32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => value(i)),
    fixed: true,
  });
  return {
    assignment: integers('assignment', [1, heads, tokens], (i) => (i * 7) % groups),
    keys: integers('keys', [1, heads, groups, topK], (i) => {
      const [group, l] = [Math.floor(i / topK), i % topK];
      return (Math.floor((l * tokens) / topK) + group) % tokens;
    }),
  };
}

/** One number of `softmax(q k^T / sqrt(d)) v`, over some of the keys. */
function attended(
  q: Input,
  k: Input,
  v: Input,
  [h, n, e]: readonly [head: number, query: number, channel: number],
  keys: readonly number[],
): number {
  const size = q.shape[3] as number;
  const scores = keys.map((l) => sum(size, (c) => at(q, 0, h, n, c) * at(k, 0, h, l, c)) / Math.sqrt(size));
  const largest = Math.max(...scores);
  const weights = scores.map((score) => Math.exp(score - largest));
  const total = weights.reduce((a, b) => a + b, 0);
  return keys.reduce((y, l, j) => y + ((weights[j] as number) / total) * at(v, 0, h, l, e), 0);
}

export const attentions: readonly OpCase[] = [softmaxAttention(6, 197, 64), grouped(3, 784, 64, 48, 98)];
