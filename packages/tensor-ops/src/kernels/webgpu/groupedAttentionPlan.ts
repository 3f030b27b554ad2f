import type * as tf from '@tensorflow/tfjs-core';
import {
  type FlatProgram,
  rowFunctions,
  rowInvocations,
  runFlat,
  workgroupIndex,
  workgroups,
} from './dynamicGroupsRows.ts';

/** What a plan is of: sizes of one call of grouped attention. */
export interface PlanSizes {
  /** heads of all samples, B*h */
  readonly heads: number;
  /** queries N and keys L of a head */
  readonly queries: number;
  readonly length: number;
  readonly groups: number;
  /** k', keys of each group */
  readonly count: number;
  /** P, queries of a block */
  readonly rows: number;
}

/**
 * The order in which a head's queries are worked on, int32 [B*h, line]. Queries of one group follow each other, in their
 * own order; each group begins a new block of P places, so that a block has queries, and needs keys, of one group only. The
 * line of a head has, one after the other:
 */
export interface PlanLayout {
  /** The query in each place (of its head), -1 where there is none; blocks*P of them, from 0 on. */
  readonly places: number;
  /** The group of each block, -1 where there is none. */
  readonly groupsAt: number;
  /** For each group its first place, then for each group the number of its queries. */
  readonly firstAt: number;
  readonly countsAt: number;
  /** For each group its k' keys (of its head). */
  readonly keysAt: number;
  readonly line: number;
  readonly blocks: number;
}

/**
 * How many blocks there are is known to the GPU alone. Here is the most there can be: each group may need up to P-1 places
 * that stay free, and no more groups than queries need any.
 */
export function planLayout({ queries, groups, count, rows }: PlanSizes): PlanLayout {
  const blocks = Math.min(queries, Math.floor((queries + groups * (rows - 1)) / rows));
  const places = blocks * rows;
  const firstAt = places + blocks;
  const keysAt = firstAt + 2 * groups;
  const line = keysAt + groups * count;
  return { blocks, places, groupsAt: places, firstAt, countsAt: firstAt + groups, keysAt, line };
}

/** The plan for assignment [B*h, N] and keys [B*h, G, k']. */
export function makePlan(assignment: tf.Tensor, keys: tf.Tensor, sizes: PlanSizes): tf.Tensor {
  const [counts] = runFlat(countsProgram(sizes), [assignment]);
  return runFlat(planProgram(sizes), [assignment, keys, counts as tf.Tensor])[0] as tf.Tensor;
}

/**
 * `groupOf(head, query)`. Nobody can look at indices on the GPU without waiting for it, so wrong ones are not refused but
 * moved into their range: then nothing else is read or written than what is meant for it.
 */
const groupOf = `
fn groupOf(head : u32, query : u32) -> u32 {
  return u32(clamp(assignment[head * uniforms.queries + query], 0, i32(uniforms.groups) - 1));
}`;

const rowsOfGroups = `
  let row = min(${workgroupIndex}, uniforms.heads * uniforms.groups - 1u);
  let mine = ${workgroupIndex} < uniforms.heads * uniforms.groups;
  let head = row / uniforms.groups;
  let group = row % uniforms.groups;`;

/** Queries of each group: int32 [B*h, G]. */
function countsProgram({ heads, queries, groups }: PlanSizes): FlatProgram {
  return {
    name: 'groupCounts',
    inputs: ['assignment'],
    result: { shape: [heads, groups], dtype: 'int32' },
    numbers: { heads, queries, groups },
    workgroupSize: [rowInvocations, 1, 1],
    dispatch: workgroups(heads * groups),
    declarations: `${rowFunctions}\n${groupOf}`,
    body: `
  ${rowsOfGroups}
  var own = 0u;
  for (var i = localIndex; i < uniforms.queries; i += ${rowInvocations}u) { own += u32(groupOf(head, i) == group); }
  let before = sumsBefore(vec2<u32>(own, 0u)).x;
  if (mine && localIndex == ${rowInvocations - 1}u) { result[row] = i32(before + own); }`,
  };
}

/**
 * The plan itself, by a stable counting sort: a workgroup for each group looks for its queries, and knows from the counts
 * where they begin.
 */
function planProgram(sizes: PlanSizes): FlatProgram {
  const layout = planLayout(sizes);
  return {
    name: 'groupPlan',
    inputs: ['assignment', 'keys', 'counts'],
    result: { shape: [sizes.heads, layout.line], dtype: 'int32' },
    numbers: { ...sizes, ...layout },
    workgroupSize: [rowInvocations, 1, 1],
    dispatch: workgroups(sizes.heads * sizes.groups),
    declarations: `
${rowFunctions}
${groupOf}
fn blocksOf(row : u32) -> u32 { return (u32(counts[row]) + uniforms.rows - 1u) / uniforms.rows; }`,
    body: `
  ${rowsOfGroups}
  let plan = head * uniforms.line;
  let count = u32(counts[row]);
  let blocks = blocksOf(row);
  var firstBlock = 0u;
  for (var other = head * uniforms.groups; other < row; other++) { firstBlock += blocksOf(other); }
  let firstPlace = firstBlock * uniforms.rows;

  let part = partOf(uniforms.queries);
  var own = 0u;
  for (var i = part.x; i < part.y; i++) { own += u32(groupOf(head, i) == group); }
  var place = plan + firstPlace + sumsBefore(vec2<u32>(own, 0u)).x;
  if (!mine) { return; }
  for (var i = part.x; i < part.y; i++) {
    if (groupOf(head, i) == group) {
      result[place] = i32(i);
      place++;
    }
  }
  // Free places: those of the last block, and behind the last group's all that are left.
  let last = group == uniforms.groups - 1u;
  let endOfBlocks = select(firstBlock + blocks, uniforms.blocks, last);
  for (var i = firstPlace + count + localIndex; i < endOfBlocks * uniforms.rows; i += ${rowInvocations}u) {
    result[plan + i] = -1;
  }
  for (var i = firstBlock + localIndex; i < endOfBlocks; i += ${rowInvocations}u) {
    result[plan + uniforms.groupsAt + i] = select(-1, i32(group), i < firstBlock + blocks);
  }
  if (localIndex == 0u) {
    result[plan + uniforms.firstAt + group] = i32(firstPlace);
    result[plan + uniforms.countsAt + group] = i32(count);
  }
  for (var i = localIndex; i < uniforms.count; i += ${rowInvocations}u) {
    let key = clamp(keys[row * uniforms.count + i], 0, i32(uniforms.length) - 1);
    result[plan + uniforms.keysAt + group * uniforms.count + i] = key;
  }`,
  };
}
