import {
  type Block,
  invocations,
  lanes,
  type Operand,
  operandsOf,
  quadsOfLane,
  type Sizes,
  workgroupMemory,
} from './attentionBlocks.ts';
import { each } from './depthwiseTokensLayout.ts';
import { type FlatProgram, workgroupIndex, workgroups } from './dynamicGroupsRows.ts';
import { type PlanSizes, planLayout } from './groupedAttentionPlan.ts';

/** Sizes of one call. */
export interface GroupedSizes extends PlanSizes {
  /** e, of queries and keys, and f, of values */
  readonly keySize: number;
  readonly valueSize: number;
  readonly scale: number;
}

/**
 * What is particular to one of the programs of grouped attention.
 *
 * They are those of plain attention (attentionBlocks.ts): a workgroup owns a block of rows of a product of matrices, and
 * walks over its columns. But in place of queries they have the *places* of the plan, and in place of keys the *slots* of a
 * group; the plan says which tokens those are. Tokens are read and written where they lie: nothing is sorted or gathered
 * in memory.
 */
export interface GroupedProgram {
  readonly name: string;
  readonly block: Block;
  readonly sizes: GroupedSizes;
  /** Operands that are inputs, and inputs that are none; `plan` comes by itself, as the last one. */
  readonly reads: readonly Operand[];
  readonly moreReads?: readonly string[];
  /** `result`, and others. */
  readonly writes: readonly [GroupedOutput, ...GroupedOutput[]];
  readonly moreWrites?: FlatProgram['more'];
  /** Uniforms beside the sizes. */
  readonly numbers?: Readonly<Record<string, number>>;
  readonly workgroups: number;
  readonly declarations: string;
  readonly body: string;
}

export interface GroupedOutput {
  readonly operand: Operand;
  readonly shape: readonly number[];
  /** WGSL: which row of the output `row` of head `group` is, an i32; below 0 if it is none. */
  readonly at: string;
}

/**
 * The sizes as the code of plain attention names them: to it, `queries` are places and `keys` are slots, and its `groups`
 * are heads.
 */
export function plainSizes(sizes: GroupedSizes): Sizes {
  const { heads, count, keySize, valueSize, scale } = sizes;
  return { groups: heads, queries: planLayout(sizes).places, keys: count, keySize, valueSize, scale };
}

/** Rows of a block. */
export const rowsOf = ({ rowVectors }: Block) => 4 * lanes * rowVectors;

/** The program; its body finds `tx` and `ty`, and says itself what `group` (a head), `firstRow` and `mine` are. */
export function groupedProgram(program: GroupedProgram): FlatProgram {
  const { block, sizes, reads, moreReads = [], writes, moreWrites = [] } = program;
  const { places, ...layout } = planLayout(sizes);
  const { heads, queries, length, groups, count, keySize, valueSize, scale } = sizes;
  const vectors = [...reads, ...writes.map(({ operand }) => operand)].flatMap(({ name, vector }) =>
    vector ? [name] : [],
  );
  const [result, ...more] = writes;
  return {
    name: [program.name, block.rowVectors, ...writes.map((x) => quadsOfLane(sizes[x.operand.size])), ...vectors].join(
      '_',
    ),
    inputs: [...reads.map(({ name }) => name), ...moreReads, 'plan'],
    result: { shape: result.shape, dtype: 'float32' },
    more: [
      ...more.map(({ operand, shape }) => ({ name: operand.name, shape, dtype: 'float32' }) as const),
      ...moreWrites,
    ],
    vectors,
    numbers: {
      ...{ heads, tokens: queries, length, groups, queries: places, keys: count, keySize, valueSize },
      ...layout,
      ...program.numbers,
    },
    scale,
    workgroupSize: [invocations, 1, 1],
    dispatch: workgroups(program.workgroups),
    declarations: [
      workgroupMemory(block),
      tokenFunctions,
      ...reads.map(readFunction),
      ...writes.map(writeFunction),
      program.declarations,
    ].join('\n'),
    body: `
  let ty = localIndex / ${lanes}u;
  let tx = localIndex % ${lanes}u;
  ${program.body}`,
  };
}

/** The tensors as the programs see them: in the order of the plan. */
export function groupedOperands(sizes: GroupedSizes): ReturnType<typeof operandsOf> {
  return operandsOf(plainSizes(sizes));
}

/** `ownGroup` is the group whose slots are meant. A place without a query reads the head's first one. */
const tokenFunctions = `
var<private> ownGroup : u32;

fn queryAt(head : u32, place : u32) -> i32 {
  return plan[head * uniforms.line + min(place, uniforms.queries - 1u)];
}
fn queriesToken(head : u32, place : u32) -> u32 {
  return head * uniforms.tokens + u32(max(queryAt(head, place), 0));
}
fn keysToken(head : u32, slot : u32) -> u32 {
  let first = head * uniforms.line + uniforms.keysAt + ownGroup * uniforms.keys;
  return head * uniforms.length + u32(plan[first + min(slot, uniforms.keys - 1u)]);
}
fn queryRow(head : u32, place : u32) -> i32 {
  let query = queryAt(head, place);
  return select(-1, i32(head * uniforms.tokens) + query, query >= 0);
}`;

/** `<name>Quad(group, row, quad)`: four channels of a token; of channels that do not exist, others. */
function readFunction({ name, size, tokens, vector }: Operand): string {
  const channels = each(4, (i) => `${i ? ', ' : ''}${name}[start + min(4u * quad + ${i}u, uniforms.${size} - 1u)]`);
  return `
fn ${name}Quad(group : u32, row : u32, quad : u32) -> vec4<f32> {
  let start = ${tokens}Token(group, row) * uniforms.${size};
  return ${vector ? `${name}[start / 4u + min(quad, uniforms.${size} / 4u - 1u)]` : `vec4<f32>(${channels})`};
}`;
}

/** `<name>Write(group, row, quad, value)`: writes what exists of four channels. */
function writeFunction({ operand: { name, size, vector }, at }: GroupedOutput): string {
  return `
fn ${name}Write(group : u32, row : u32, quad : u32, value : vec4<f32>) {
  let at = ${at};
  if (at < 0 || 4u * quad >= uniforms.${size}) { return; }
  let start = u32(at) * uniforms.${size} + 4u * quad;
  ${
    vector
      ? `${name}[start / 4u] = value;`
      : `for (var i = 0u; i < min(4u, uniforms.${size} - 4u * quad); i++) { ${name}[start + i] = value[i]; }`
  }
}`;
}

/** How many workgroups the programs of blocks of P places have, */
export const placeBlocks = (sizes: GroupedSizes) => sizes.heads * planLayout(sizes).blocks;

/** and how their body begins: who has no block, or a block without a group, leaves; all of a workgroup do. */
export const blockOfPlaces = (block: Block) => `
  let block = ${workgroupIndex} % uniforms.blocks;
  let group = min(${workgroupIndex} / uniforms.blocks, uniforms.heads - 1u);
  if (localIndex == 0u) {
    let exists = ${workgroupIndex} < uniforms.heads * uniforms.blocks;
    groupOfBlock = select(-1, plan[group * uniforms.line + uniforms.groupsAt + block], exists);
  }
  // Read so, the compiler knows that it is the same for all, and lets them leave before a barrier.
  let own = workgroupUniformLoad(&groupOfBlock);
  if (own < 0) { return; }
  ownGroup = u32(own);
  let firstRow = block * ${rowsOf(block)}u;
  let mine = true;`;

export const blockOfPlacesMemory = 'var<workgroup> groupOfBlock : i32;';
