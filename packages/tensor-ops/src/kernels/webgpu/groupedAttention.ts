import * as tf from '@tensorflow/tfjs-core';
import { product } from '../../shape.ts';
import { GROUPED_ATTENTION, GROUPED_ATTENTION_GRAD } from '../names.ts';
import { type Block, blockFor, quadsOfLane } from './attentionBlocks.ts';
import { assertBindable } from './depthwiseTokensLayout.ts';
import { overParts, partsOfHeads, runFlat } from './dynamicGroupsRows.ts';
import type { GroupedSizes } from './groupedAttentionBlocks.ts';
import { groupedForwardProgram } from './groupedAttentionForward.ts';
import { groupedKeyValueGradProgram } from './groupedAttentionKeyValueGrad.ts';
import { makePlan, planLayout } from './groupedAttentionPlan.ts';
import { groupedQueryGradProgram } from './groupedAttentionQueryGrad.ts';
import { statisticsProgram, sumsOverGroups } from './groupedAttentionSums.ts';

type BlockRows = 32 | 64;

/** The attributes of both kernels. */
export interface GroupedAttentionAttributes {
  readonly scale: number;
  /** queries of a block; default: what seems to fit the sizes */
  readonly rows?: BlockRows;
  /** bytes that one binding may have; default: what the device allows */
  readonly limit?: number;
}

/**
 * Attention of each query over the keys of its group (inputs and outputs: see the kernel's name). The GPU sorts queries by
 * group and knows alone how many blocks that gives; it gets work for the most there can be, and nothing is read back. Kept
 * for the gradient are a number for each place of the plan, and the plan; nothing of the size N x L exists.
 */
export const groupedAttention = groupedKernel<Inputs>(GROUPED_ATTENTION, (inputs, { scale, rows }) => {
  const [q, k, v, assignment, keys] = inputs;
  const sizes = sizesOf(q, v, keys, scale, rows);
  const shape = [...q.shape.slice(0, -1), sizes.valueSize];
  for (const [name, x] of Object.entries({ q, k, v })) assertBindable(name, x.shape);
  assertBindable('result', shape);
  const { line, places } = planLayout(sizes);
  assertBindable('keys and order of queries', [sizes.heads, Math.max(line, 2 * places)]);
  const plan = makePlan(assignment, keys, sizes);
  const [y, logarithms] = runFlat(groupedForwardProgram(sizes, blockOf(sizes)), [q, k, v, plan]);
  return [tf.reshape(y as tf.Tensor, shape), logarithms as tf.Tensor, plan];
});

/** Its gradient, which computes the weights again from the logarithms: blocks of queries for dq, of keys for the rest. */
export const groupedAttentionGrad = groupedKernel<GradInputs>(GROUPED_ATTENTION_GRAD, (inputs, { scale, limit }) => {
  const [dy, q, k, v, , keys, y, logarithms, plan] = inputs;
  const sizes = sizesOf(q, v, keys, scale, logarithms.shape[2] as BlockRows);
  const { groups, count, length, keySize, valueSize } = sizes;
  const [statistics] = runFlat(statisticsProgram(sizes), [dy, y, logarithms, plan]) as [tf.Tensor];
  const [dq] = runFlat(groupedQueryGradProgram(sizes, blockOf(sizes)), [q, k, v, dy, statistics, plan]);

  const quads = quadsOfLane(keySize) + quadsOfLane(valueSize);
  const bytes = 4 * groups * Math.max(count * Math.max(keySize, valueSize), length);
  const [dk, dv] = overParts(partsOfHeads('keys', sizes.heads, bytes, limit), (part) => {
    const program = groupedKeyValueGradProgram(sizes, blockFor(count, quads, 'f32'), part);
    return sumsOverGroups(runFlat(program, [k, v, q, dy, statistics, plan]), plan, sizes, part);
  });
  const like = (x: tf.Tensor, gradient: tf.Tensor | undefined) => tf.reshape(gradient as tf.Tensor, x.shape);
  return [like(q, dq), like(k, dk), like(v, dv)];
});

type Inputs = readonly [q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, assignment: tf.Tensor, keys: tf.Tensor];
type GradInputs = readonly [dy: tf.Tensor, ...Inputs, y: tf.Tensor, logarithms: tf.Tensor, plan: tf.Tensor];

function groupedKernel<I>(
  kernelName: string,
  compute: (inputs: I, attributes: GroupedAttentionAttributes) => tf.Tensor[],
): tf.KernelConfig {
  const kernelFunc: tf.KernelFunc = ({ inputs, attrs }) =>
    tf.tidy(() => compute(inputs as unknown as I, attrs as unknown as GroupedAttentionAttributes));
  return { kernelName, backendName: 'webgpu', kernelFunc };
}

function sizesOf(q: tf.Tensor, v: tf.Tensor, keys: tf.Tensor, scale: number, rows?: BlockRows): GroupedSizes {
  const [queries, keySize] = q.shape.slice(-2) as [number, number];
  const [length, valueSize] = v.shape.slice(-2) as [number, number];
  const [groups, count] = keys.shape.slice(-2) as [number, number];
  const heads = product(q.shape.slice(0, -2));
  // Larger blocks read keys less often, smaller ones leave fewer places free: half a block for each group.
  const large = queries >= manyQueries * groups && quadsOfLane(Math.max(keySize, valueSize)) <= 2;
  return { heads, queries, length, groups, count, rows: rows ?? (large ? 64 : 32), keySize, valueSize, scale };
}

/** Queries that a group has on average, or more, where blocks are large: then a fifth of the places is free. */
const manyQueries = 128;

const blockOf = ({ rows }: GroupedSizes): Block => ({ rowVectors: rows === 64 ? 2 : 1, storage: 'f32' });
