import { dynamicGroups, type KernelMode, l2Normalize } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { Values } from '../../core/check.ts';
import type { Bench, Comparison, Prepared } from '../../core/comparison.ts';
import type { CheckResult } from '../../core/row.ts';
import { tfjsContender } from '../../core/tfjsContender.ts';
import { type Input, InputTensors, normalInput } from '../support/inputs.ts';
import { kernelRefusal } from '../support/kernels.ts';
import { at, EXPLICIT, OURS, STOCK, sizesOf, sum } from './opCase.ts';

/** Three heads of 64, as many tokens as stage 2 of a DGT has, its groups and keys. */
const [HEADS, TOKENS, SIZE, GROUPS, TOP_K] = [3, 784, 64, 48, 98];

/**
 * Which group a query belongs to, and which keys a group selects: decisions, which are right or wrong. Keys and centroids
 * have so few digits that their products are exact in float32.
 */
export const dynamicGroupsComparison: Comparison = {
  suite: 'tensor-ops',
  id: `dynamicGroups/${sizesOf(HEADS, TOKENS, SIZE)}-G${GROUPS}-k${TOP_K}/forward`,
  parameters: {
    operation: 'dynamicGroups',
    sizes: `${sizesOf(HEADS, TOKENS, SIZE)}-G${GROUPS}-k${TOP_K}`,
    direction: 'forward',
  },
  prepare: async (bench) => prepare(bench),
};

function prepare(bench: Bench): Prepared {
  const q = normalInput('q', [1, HEADS, TOKENS, SIZE]);
  const k = inSteps(normalInput('k', [1, HEADS, TOKENS, SIZE]), 16);
  const centroids = inSteps(normalInput('centroids', [HEADS, GROUPS, SIZE], { std: SIZE ** -0.5 }), 128);
  const store = new InputTensors();
  const [tq, tk, te] = [q, k, centroids].map((input) => store.of(input)) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor3D];
  const check = (values: Values) => checkRouting(values, q, k, centroids);
  // Both sides of each product once; the selection has none.
  const cost = { params: 0, macs: 2 * HEADS * TOKENS * GROUPS * SIZE };
  const ours = () => {
    const { assignment, keys } = dynamicGroups(tq, tk, te, { topK: TOP_K });
    return [assignment, keys];
  };
  const contender = (name: string, kernels: KernelMode) =>
    tfjsContender(bench, { name, kernels, check, cost, compute: ours });
  const few = () => dynamicGroups(tf.ones([1, 1, 2, 4]), tf.ones([1, 1, 2, 4]), tf.ones([1, 1, 4]), { topK: 1 });
  const fused = kernelRefusal(() => few().keys) === undefined;
  return {
    contenders: [
      tfjsContender(bench, { name: STOCK, role: 'peer', check, cost, compute: () => stockGroups(tq, tk, te) }),
      contender(OURS, 'auto'),
      ...(fused ? [contender(EXPLICIT, 'explicit')] : []),
    ],
    baseline: STOCK,
    dispose: () => store.dispose(),
  };
}

function stockGroups(q: tf.Tensor4D, k: tf.Tensor4D, centroids: tf.Tensor3D): tf.Tensor[] {
  const all = tf.expandDims(centroids, 0);
  const assignment = tf.argMax(tf.matMul(l2Normalize(q), all, false, true), -1);
  return [assignment, tf.topk(tf.matMul(all, k, false, true), TOP_K).indices];
}

/** The share of decisions that are not those of the definition in float64, for some queries and all groups of a head. */
function checkRouting([assignment, keys]: Values, q: Input, k: Input, centroids: Input): CheckResult {
  const head = HEADS - 1;
  const fit = (group: number, rows: Input, row: number) =>
    sum(SIZE, (c) => at(centroids, head, group, c) * at(rows, 0, head, row, c));
  const best = (count: number, score: (i: number) => number): number[] => {
    const scores = Array.from({ length: count }, (_, i) => score(i));
    return [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
  };
  let [wrong, total] = [0, 0];
  for (let query = 0; query < TOKENS; query += 7) {
    const [nearest] = best(GROUPS, (group) => fit(group, q, query));
    total++;
    if (assignment?.[head * TOKENS + query] !== nearest) wrong++;
  }
  for (let group = 0; group < GROUPS; group++) {
    const start = (head * GROUPS + group) * TOP_K;
    const selected = new Set(Array.from({ length: TOP_K }, (_, i) => keys?.[start + i]));
    for (const key of best(TOKENS, (key) => fit(group, k, key)).slice(0, TOP_K)) {
      total++;
      if (!selected.has(key)) wrong++;
    }
  }
  return { against: `float64 in ${total} decisions`, error: wrong / total, tolerance: 0 };
}

function inSteps(input: Input, steps: number): Input {
  return { ...input, values: input.values.map((value) => Math.round(value * steps) / steps) };
}
