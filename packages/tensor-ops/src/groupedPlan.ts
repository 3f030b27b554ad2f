import type { GroupRouting } from './dynamicGroups.ts';
import { ConfigError } from './errors.ts';

/** Row numbers, `shape` of them. */
interface Rows {
  readonly shape: readonly [blocks: number, rows: number];
  readonly numbers: Int32Array;
}

/** How queries stand in blocks of one group each. Rows are numbered through all heads and samples. */
export interface BlockPlan {
  /** [blocks, P]: the query in each place; what fills a block up repeats its first */
  readonly slots: Rows;
  /** [blocks * P]: 1 where a query stands, 0 where a block is filled up */
  readonly filled: Float32Array;
  /** [blocks, k]: the keys of each block's group */
  readonly keyRows: Rows;
  /** [B * h * N]: the place of each query */
  readonly places: Int32Array;
}

/** Queries of each group of one head, in their order. */
export interface SortedQueries {
  /** [N]: query numbers within the head, by group */
  readonly order: Int32Array;
  /** [G + 1]: where each group begins in `order` */
  readonly begins: Int32Array;
}

/** Largest block; smaller where groups are small, so that little is filled up. */
const BLOCK = 64;

/** How many queries a block holds: 64, or fewer where the groups have fewer on average (a multiple of 8). */
export function blockSize(queries: number, groups: number): number {
  return Math.min(BLOCK, 8 * Math.ceil(queries / groups / 8));
}

/** Sorts the queries of one head by group: a counting sort, which keeps the order within a group. */
export function sortQueries(assignment: ArrayLike<number>, groups: number): SortedQueries {
  const begins = new Int32Array(groups + 1);
  for (let i = 0; i < assignment.length; i++) (begins[(assignment[i] as number) + 1] as number) += 1;
  for (let g = 0; g < groups; g++) (begins[g + 1] as number) += begins[g] as number;
  const next = begins.slice();
  const order = new Int32Array(assignment.length);
  for (let i = 0; i < assignment.length; i++) {
    const group = assignment[i] as number;
    order[next[group] as number] = i;
    (next[group] as number) += 1;
  }
  return { order, begins };
}

/**
 * Throws unless every number is one of 0 to `count - 1`: a wrong one would be read from, and written to, foreign memory.
 *
 * @throws ConfigError
 */
export function assertIndices(argument: string, numbers: ArrayLike<number>, count: number): void {
  for (let i = 0; i < numbers.length; i++) {
    const number = numbers[i] as number;
    if (!(number >= 0 && number < count)) throw new ConfigError(argument, `numbers from 0 to ${count - 1}`, number);
  }
}

/**
 * Puts queries into blocks. Reads the routing at once.
 *
 * @param length L, keys of each head
 * @throws ConfigError for a group or a key that does not exist
 */
export function planBlocks({ assignment, keys }: GroupRouting, length: number): BlockPlan {
  const [batch, heads, queries] = assignment.shape;
  const [, , groups, count] = keys.shape;
  const [groupOf, chosen] = [assignment.dataSync<'int32'>(), keys.dataSync<'int32'>()];
  assertIndices('assignment', groupOf, groups);
  assertIndices('keys', chosen, length);
  const size = blockSize(queries, groups);
  const slots: number[] = [];
  const keyRows: number[] = [];
  const filled: number[] = [];
  const places = new Int32Array(groupOf.length);
  for (let set = 0; set < batch * heads; set++) {
    const { order, begins } = sortQueries(groupOf.subarray(set * queries, (set + 1) * queries), groups);
    for (let group = 0; group < groups; group++) {
      const [from, to] = [begins[group] as number, begins[group + 1] as number];
      for (let at = from; at < to; at += size) {
        for (let i = at; i < at + size; i++) {
          const row = set * queries + (order[i < to ? i : at] as number);
          if (i < to) places[row] = slots.length;
          slots.push(row);
          filled.push(i < to ? 1 : 0);
        }
        const first = (set * groups + group) * count;
        for (let j = first; j < first + count; j++) keyRows.push(set * length + (chosen[j] as number));
      }
    }
  }
  const blocks = slots.length / size;
  return {
    slots: { shape: [blocks, size], numbers: Int32Array.from(slots) },
    keyRows: { shape: [blocks, count], numbers: Int32Array.from(keyRows) },
    filled: Float32Array.from(filled),
    places,
  };
}
