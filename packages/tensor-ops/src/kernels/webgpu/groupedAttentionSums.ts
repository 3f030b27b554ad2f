import type * as tf from '@tensorflow/tfjs-core';
import { groupSize } from './depthwiseTokensLayout.ts';
import {
  type FlatProgram,
  type Heads,
  rowInvocations,
  runFlat,
  workgroupIndex,
  workgroups,
} from './dynamicGroupsRows.ts';
import type { GroupedSizes } from './groupedAttentionBlocks.ts';
import { planLayout } from './groupedAttentionPlan.ts';

/**
 * What the gradients need of each place beside its tokens: [B*h, blocks, P, 2], the logarithm of the sum of exponentials,
 * and `delta_i = dy_i . y_i`, which is the sum over all keys `sum_j A_ij (dy_i . v_j)`. Zeros in free places.
 */
export function statisticsProgram(sizes: GroupedSizes): FlatProgram {
  const { blocks, places, line } = planLayout(sizes);
  const { heads, queries, rows, valueSize } = sizes;
  return {
    name: 'groupedAttentionStatistics',
    inputs: ['dy', 'y', 'logarithms', 'plan'],
    result: { shape: [heads, blocks, rows, 2], dtype: 'float32' },
    numbers: { heads, places, line, queries, valueSize },
    workgroupSize: [groupSize, 1, 1],
    dispatch: workgroups(Math.ceil((heads * places) / groupSize)),
    body: `
  let at = ${workgroupIndex} * ${groupSize}u + localIndex;
  if (at >= uniforms.heads * uniforms.places) { return; }
  let head = at / uniforms.places;
  let query = plan[head * uniforms.line + at % uniforms.places];
  var logarithm = 0.0;
  var delta = 0.0;
  if (query >= 0) {
    logarithm = logarithms[at];
    let start = (head * uniforms.queries + u32(query)) * uniforms.valueSize;
    for (var c = start; c < start + uniforms.valueSize; c++) { delta += dy[c] * y[c]; }
  }
  result[2u * at] = logarithm;
  result[2u * at + 1u] = delta;`,
  };
}

/**
 * Adds up, for each key, what the groups that have it give to its gradient: for each of several tensors [heads, G, k', c]
 * a tensor [heads, L, c]; of some of the plan's heads. Always in the order of the groups, so that equal inputs give equal
 * bits.
 */
export function sumsOverGroups(
  parts: readonly tf.Tensor[],
  plan: tf.Tensor,
  sizes: GroupedSizes,
  some: Heads,
): tf.Tensor[] {
  const [slots] = runFlat(slotsProgram(sizes, some), [plan]);
  return parts.map((part) => runFlat(sumProgram(part, sizes, some), [part, slots as tf.Tensor])[0] as tf.Tensor);
}

/** The way back from keys to slots: int32 [heads, G, L], the slot in which a group has a key, -1 where it has not. */
function slotsProgram(sizes: GroupedSizes, { first, heads }: Heads): FlatProgram {
  const { keysAt, line } = planLayout(sizes);
  const { groups, length, count } = sizes;
  return {
    name: 'groupedAttentionSlots',
    inputs: ['plan'],
    result: { shape: [heads, groups, length], dtype: 'int32' },
    numbers: { first, heads, groups, length, count, keysAt, line },
    workgroupSize: [rowInvocations, 1, 1],
    dispatch: workgroups(heads * groups),
    body: `
  let row = min(${workgroupIndex}, uniforms.heads * uniforms.groups - 1u);
  let mine = ${workgroupIndex} < uniforms.heads * uniforms.groups;
  let start = row * uniforms.length;
  let head = uniforms.first + row / uniforms.groups;
  let keys = head * uniforms.line + uniforms.keysAt + row % uniforms.groups * uniforms.count;
  for (var i = localIndex; mine && i < uniforms.length; i += ${rowInvocations}u) { result[start + i] = -1; }
  storageBarrier();
  for (var i = localIndex; mine && i < uniforms.count; i += ${rowInvocations}u) {
    result[start + u32(plan[keys + i])] = i32(i);
  }`,
  };
}

function sumProgram(part: tf.Tensor, { groups, length, count }: GroupedSizes, { heads }: Heads): FlatProgram {
  const channels = part.shape[3] as number;
  const vector = channels % 4 === 0;
  const shape = [heads, length, channels];
  const numbers = { groups, length, count, width: vector ? channels / 4 : channels };
  return {
    name: `groupedAttentionSum${vector ? '_vectors' : ''}`,
    inputs: ['part', 'slots'],
    vectors: vector ? ['part', 'result'] : [],
    result: { shape, dtype: 'float32' },
    numbers: { ...numbers, elements: heads * length * numbers.width },
    workgroupSize: [groupSize, 1, 1],
    dispatch: workgroups(Math.ceil((heads * length * numbers.width) / groupSize)),
    body: `
  let at = ${workgroupIndex} * ${groupSize}u + localIndex;
  if (at >= uniforms.elements) { return; }
  let channel = at % uniforms.width;
  let key = at / uniforms.width % uniforms.length;
  let firstGroup = at / (uniforms.width * uniforms.length) * uniforms.groups;
  var sum = ${vector ? 'vec4<f32>()' : '0.0'};
  for (var group = firstGroup; group < firstGroup + uniforms.groups; group++) {
    let slot = slots[group * uniforms.length + key];
    if (slot >= 0) { sum += part[(group * uniforms.count + u32(slot)) * uniforms.width + channel]; }
  }
  result[at] = sum;`,
  };
}
