import * as tf from '@tensorflow/tfjs-core';
import { product } from '../../shape.ts';
import { type MultiOutputProgram, runMultiOutputProgram } from '../../webgpu/program.ts';
import { each, flatDispatch } from './depthwiseTokensLayout.ts';

/**
 * What the programs of fused attention share. Each of them is a product of matrices, `S = A B^T`, something done to its
 * elements, and one or two more products, `O = W X`, where W is what has become of S; neither S nor W is written to memory.
 *
 * A workgroup owns a block of 32 or 64 rows of S (queries; for the gradients of keys and values: keys) and walks over all
 * columns (keys; queries), 32 at a time. Its 64 invocations stand in 8 lines (`ty`) of 8 (`tx`). Invocation (ty, tx)
 * computes 4 or 8 rows and 4 columns of S, and of O the same rows and every eighth quad of channels, in registers:
 * - `s<c>_<h>`: column 4 tx + c of S, rows 4 (ty H + h) to + 3, as one vector;
 * - `o<r>_<j>`: row 4 H ty + r of O, channels 4 (tx + 8 j) to + 3, as one vector.
 *
 * So what is read from workgroup memory serves 4 or 8 rows or columns at once: on a GPU, products are not held up by that
 * memory; on a processor, where a read costs several products, this is most of the speed. Neighbouring invocations read
 * one and the same vector, or neighbouring ones, and global memory is read in runs of 64 bytes and more. Nothing depends
 * on the size of a subgroup. Workgroup memory stays below 16 KiB, which every device has.
 */
export interface Block {
  /** H: vectors of 4 rows for each invocation */
  readonly rowVectors: 1 | 2;
  /** What is staged in workgroup memory as; everything is computed in float32. */
  readonly storage: Storage;
}

export type Storage = 'f32' | 'f16';

/** Sizes of one call, as uniforms of all programs. */
export interface Sizes {
  readonly groups: number;
  readonly queries: number;
  readonly keys: number;
  /** e, of queries and keys */
  readonly keySize: number;
  /** f, of values and outputs */
  readonly valueSize: number;
  readonly scale: number;
}

/** A tensor [G, tokens, channels] as a program sees it. */
export interface Operand {
  /** name of the binding */
  readonly name: string;
  /** names of the uniforms with the numbers of tokens and of channels */
  readonly tokens: 'queries' | 'keys';
  readonly size: 'keySize' | 'valueSize';
  /** as vectors of 4 numbers: where the number of channels is a multiple of 4 */
  readonly vector: boolean;
}

/** Lines of a workgroup, and invocations of a line. */
export const lanes = 8;
export const invocations = lanes * lanes;
/** Columns of S that are in work at a time: four for each invocation of a line. */
export const columns = 4 * lanes;
/** Channels of A and B that are staged at a time, in quads. */
export const stagedQuads = 4;
/** Quads of X that are staged at a time: all columns of up to 32 channels, a part of them of more. */
export const stagedValues = 256;

/**
 * Two vectors of rows where that gives something to do to all of them and leaves the sums of an invocation at 64 numbers,
 * which fit into registers everywhere.
 *
 * @param quads of all sums together that an invocation has of a row
 */
export function blockFor(rows: number, quads: number, storage: Storage): Block {
  return { rowVectors: rows > 4 * lanes && quads <= 2 ? 2 : 1, storage };
}

/** Quads of a row of O that an invocation has: 1, 2 or 4, so that few different programs are compiled. */
export function quadsOfLane(size: number): 1 | 2 | 4 {
  if (size <= 4 * lanes) return 1;
  return size <= 8 * lanes ? 2 : 4;
}

/** q [G, N, e], k [G, L, e], v [G, L, f], dy [G, N, f] */
export function operandsOf({ keySize, valueSize }: Sizes): Readonly<Record<'q' | 'k' | 'v' | 'dy', Operand>> {
  const [e, f] = [keySize % 4 === 0, valueSize % 4 === 0];
  return {
    q: { name: 'q', tokens: 'queries', size: 'keySize', vector: e },
    k: { name: 'k', tokens: 'keys', size: 'keySize', vector: e },
    v: { name: 'v', tokens: 'keys', size: 'valueSize', vector: f },
    dy: { name: 'dy', tokens: 'queries', size: 'valueSize', vector: f },
  };
}

/** What is particular to one of the programs. */
export interface BlockProgram {
  readonly name: string;
  readonly block: Block;
  readonly sizes: Sizes;
  /** Inputs, in their order; then those that are numbers for each query. */
  readonly reads: readonly Operand[];
  readonly perQuery: readonly string[];
  /** Output of the program: `result`, and others. */
  readonly writes: readonly [Operand, ...Operand[]];
  readonly writesPerQuery?: readonly string[];
  readonly declarations?: string;
  readonly body: string;
}

/**
 * Runs a program and returns its outputs.
 *
 * To tfjs all tensors are flat: it compiles the same code anew for every pattern of dimensions that are 1 or that inputs
 * and output have in common, and [n] beside an output [n, 1] has none of either.
 */
export function runBlockProgram(program: BlockProgram, inputs: readonly tf.Tensor[]): tf.Tensor[] {
  const flat = inputs.map((x) => tf.reshape(x, [x.size]));
  const shapes = outputShapes(program);
  return runMultiOutputProgram(blockProgram(program), flat).map((y, i) => tf.reshape(y, shapes[i] as number[]));
}

function outputShapes({ sizes, writes, writesPerQuery = [] }: BlockProgram): number[][] {
  return [
    ...writes.map(({ tokens, size }) => [sizes.groups, sizes[tokens], sizes[size]]),
    ...writesPerQuery.map(() => [sizes.groups, sizes.queries]),
  ];
}

/** The program of blocks of the rows that `result` has; its body finds `group`, `firstRow`, `mine`, `tx` and `ty`. */
export function blockProgram(program: BlockProgram): MultiOutputProgram {
  const [elements, ...moreElements] = outputShapes(program).map(product);
  const { block, sizes, reads, writes } = program;
  const [result, ...more] = writes;
  const rows = 4 * block.rowVectors * lanes;
  const { scale, ...counts } = sizes;
  const moreNames = [...more.map(({ name }) => name), ...(program.writesPerQuery ?? [])];
  const vectors = [...reads, ...writes].filter(({ vector }) => vector).map(({ name }) => name);
  const widths = writes.map(({ size }) => quadsOfLane(sizes[size]));
  return {
    name: [program.name, block.storage, block.rowVectors, ...widths, ...vectors].join('_'),
    inputs: [...reads.map(({ name }) => name), ...program.perQuery],
    output: { shape: [elements as number, 1], dtype: 'float32' },
    moreOutputs: moreNames.map((name, i) => ({ name, shape: [moreElements[i] as number], dtype: 'float32' })),
    vectors,
    enable: block.storage === 'f16' ? ['f16'] : [],
    uniforms: [
      ...Object.entries(counts).map(([name, value]) => ({ name, type: 'u32', value }) as const),
      { name: 'scale', type: 'f32', value: scale },
    ],
    workgroupSize: [invocations, 1, 1],
    dispatch: flatDispatch(invocations * sizes.groups * Math.ceil(sizes[result.tokens] / rows)),
    declarations: [
      workgroupMemory(block),
      ...reads.map(readFunction),
      ...writes.map(writeFunction),
      program.declarations ?? '',
    ].join('\n'),
    body: `
  let blocks = (uniforms.${result.tokens} + ${rows - 1}u) / ${rows}u;
  let block = workgroupId.y * numWorkgroups.x + workgroupId.x;
  // A dispatch in two dimensions may have a few workgroups too many. None may leave before a barrier: they compute along.
  let mine = block < uniforms.groups * blocks;
  let group = min(block / blocks, uniforms.groups - 1u);
  let firstRow = block % blocks * ${rows}u;
  let ty = localIndex / ${lanes}u;
  let tx = localIndex % ${lanes}u;
  ${program.body}`,
  };
}

/**
 * `operands` has the staged channels of A, then those of B, channel by channel; `weights` has W, column by column; both as
 * vectors of 4 rows. The one is dead while the other is used, so in float32 they share their memory. `values` has the
 * staged rows of X.
 */
export function workgroupMemory(block: Block): string {
  const rowQuads = lanes * block.rowVectors;
  const operands = 4 * stagedQuads * (rowQuads + lanes);
  const weights = columns * rowQuads;
  const shared = weightsOf(block) === 'operands';
  return `
alias Staged = vec4<${block.storage}>;
var<workgroup> operands : array<Staged, ${shared ? Math.max(operands, weights) : operands}>;
${shared ? '' : `var<workgroup> weights : array<vec4<f32>, ${weights}>;`}
var<workgroup> values : array<Staged, ${stagedValues}>;`;
}

/** The array in workgroup memory that holds W. */
export function weightsOf({ storage }: Block): 'operands' | 'weights' {
  return storage === 'f32' ? 'operands' : 'weights';
}

/**
 * `<name>Quad(group, row, quad)`: four channels of a token. What lies outside is read from inside: rows and channels that do
 * not exist are computed along and never written, columns that do not exist get the weight 0.
 */
function readFunction({ name, size, tokens, vector }: Operand): string {
  const channel = (i: number) => `${name}[start + min(4u * quad + ${i}u, uniforms.${size} - 1u)]`;
  return `
fn ${name}Quad(group : u32, row : u32, quad : u32) -> vec4<f32> {
  let token = group * uniforms.${tokens} + min(row, uniforms.${tokens} - 1u);
  ${
    vector
      ? `return ${name}[token * (uniforms.${size} / 4u) + min(quad, uniforms.${size} / 4u - 1u)];`
      : `let start = token * uniforms.${size};
  return vec4<f32>(${[0, 1, 2, 3].map(channel).join(', ')});`
  }
}`;
}

/** `<name>Write(group, row, quad, value)`: writes what exists of four channels. */
function writeFunction({ name, size, tokens, vector }: Operand): string {
  return `
fn ${name}Write(group : u32, row : u32, quad : u32, value : vec4<f32>) {
  if (row >= uniforms.${tokens} || 4u * quad >= uniforms.${size}) { return; }
  let token = group * uniforms.${tokens} + row;
  ${
    vector
      ? `${name}[token * (uniforms.${size} / 4u) + quad] = value;`
      : `let start = token * uniforms.${size} + 4u * quad;
  for (var i = 0u; i < min(4u, uniforms.${size} - 4u * quad); i++) { ${name}[start + i] = value[i]; }`
  }
}`;
}

/** Declares vectors `<name><i>_<k>`, all zero. */
export function zeros(name: string, outer: number, inner: number): string {
  return each(outer, (i) => each(inner, (k) => `var ${name}${i}_${k} = vec4<f32>();`));
}
