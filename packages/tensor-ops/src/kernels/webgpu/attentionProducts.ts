import {
  type Block,
  columns,
  lanes,
  type Operand,
  stagedQuads,
  stagedValues,
  weightsOf,
  zeros,
} from './attentionBlocks.ts';
import { each } from './depthwiseTokensLayout.ts';

/** Code for every vector of S that an invocation has: column c, rows h. */
export function eachScore({ rowVectors }: Block, code: (c: number, h: number) => string): string {
  return each(4, (c) => each(rowVectors, (h) => code(c, h)));
}

/** Code for every vector of O that an invocation has: row r, quad j of its channels. */
export function eachSum({ rowVectors }: Block, quads: number, code: (r: number, j: number) => string): string {
  return each(4 * rowVectors, (r) => each(quads, (j) => code(r, j)));
}

/** The number of the first of the rows of vector h; of column c. */
export const rowAt = ({ rowVectors }: Block, h: number) => `(firstRow + 4u * (ty * ${rowVectors}u + ${h}u))`;
export const columnAt = (c: number) => `(firstColumn + 4u * tx + ${c}u)`;

/** `<name><c>_<h>` = A B^T for the rows of the block and the columns from `firstColumn` on. */
export function product(block: Block, name: string, a: Operand, b: Operand): string {
  const { rowVectors } = block;
  const rowQuads = lanes * rowVectors;
  const firstOfB = 4 * stagedQuads * rowQuads;
  return `
  ${zeros(name, 4, rowVectors)}
  for (var firstChannel = 0u; firstChannel < uniforms.${a.size}; firstChannel += ${4 * stagedQuads}u) {
    if (localIndex < ${rowQuads * stagedQuads}u) { ${stage(a, 'localIndex', 'firstRow', 0, rowQuads)} }
    // From the other end, so that a block of few rows is staged by all invocations together.
    let last = ${lanes * lanes - 1}u - localIndex;
    if (last < ${lanes * stagedQuads}u) { ${stage(b, 'last', 'firstColumn', firstOfB, lanes)} }
    workgroupBarrier();
    let count = min(${4 * stagedQuads}u, uniforms.${a.size} - firstChannel);
    for (var d = 0u; d < count; d++) {
      ${each(rowVectors, (h) => `let a${h} = vec4<f32>(operands[d * ${rowQuads}u + ty * ${rowVectors}u + ${h}u]);`)}
      let b = vec4<f32>(operands[${firstOfB}u + d * ${lanes}u + tx]);
      ${eachScore(block, (c, h) => `${name}${c}_${h} += a${h} * b[${c}];`)}
    }
    workgroupBarrier();
  }`;
}

/** Four tokens of four channels come in and go transposed into workgroup memory, so that a vector has four tokens. */
function stage({ name }: Operand, task: string, firstToken: string, start: number, stride: number): string {
  const transposed = (i: number) => [0, 1, 2, 3].map((x) => `x${x}[${i}]`).join(', ');
  return `
      let quad = ${task} % ${stagedQuads}u;
      let four = ${task} / ${stagedQuads}u;
      ${each(4, (i) => `let x${i} = ${name}Quad(group, ${firstToken} + 4u * four + ${i}u, firstChannel / 4u + quad);`)}
      let at = ${start}u + 4u * quad * ${stride}u + four;
      ${each(4, (i) => `operands[at + ${i * stride}u] = Staged(vec4<f32>(${transposed(i)}));`)}`;
}

/** Writes W: `value(c, h)` for every vector of S. */
export function storeWeights(block: Block, value: (c: number, h: number) => string): string {
  const { rowVectors } = block;
  const at = (c: number, h: number) => `(4u * tx + ${c}u) * ${lanes * rowVectors}u + ty * ${rowVectors}u + ${h}u`;
  return eachScore(block, (c, h) => `${weightsOf(block)}[${at(c, h)}] = ${value(c, h)};`);
}

/** `<name><r>_<j>` += W X, X being the rows of an operand that belong to the columns from `firstColumn` on. */
export function addWeighted(block: Block, name: string, x: Operand, quads: number): string {
  const { rowVectors } = block;
  const width = lanes * quads;
  const step = Math.min(columns, stagedValues / width);
  const weight = (h: number) =>
    `${weightsOf(block)}[(first + c) * ${lanes * rowVectors}u + ty * ${rowVectors}u + ${h}u]`;
  return `
  for (var first = 0u; first < ${columns}u; first += ${step}u) {
    for (var i = localIndex; i < ${step * width}u; i += ${lanes * lanes}u) {
      values[i] = Staged(${x.name}Quad(group, firstColumn + first + i / ${width}u, i % ${width}u));
    }
    workgroupBarrier();
    for (var c = 0u; c < ${step}u; c++) {
      ${each(rowVectors, (h) => `let w${h} = ${weight(h)};`)}
      ${each(quads, (j) => `let x${j} = vec4<f32>(values[c * ${width}u + ${lanes * j}u + tx]);`)}
      ${eachSum(block, quads, (r, j) => `${name}${r}_${j} += w${r >> 2}[${r & 3}] * x${j};`)}
    }
    workgroupBarrier();
  }`;
}

/** Writes O: `value(r, j)` for every vector of it. */
export function writeRows(
  block: Block,
  { name }: Operand,
  quads: number,
  value: (r: number, j: number) => string,
): string {
  const row = (r: number) => `${rowAt(block, 0)} + ${r}u`;
  return `
  if (mine) { ${eachSum(block, quads, (r, j) => `${name}Write(group, ${row(r)}, tx + ${lanes * j}u, ${value(r, j)});`)} }`;
}
