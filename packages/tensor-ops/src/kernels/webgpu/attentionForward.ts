import {
  type Block,
  type BlockProgram,
  blockFor,
  columns,
  lanes,
  operandsOf,
  quadsOfLane,
  type Sizes,
  type Storage,
  zeros,
} from './attentionBlocks.ts';
import {
  addWeighted,
  columnAt,
  eachScore,
  eachSum,
  product,
  rowAt,
  storeWeights,
  writeRows,
} from './attentionProducts.ts';
import { each } from './depthwiseTokensLayout.ts';

/**
 * Softmax attention in one pass over the keys: q [G, N, e], k [G, L, e], v [G, L, f] -> result [G, N, f] and
 * `logarithms` [G, N], the natural logarithm of each row's sum of exponentials.
 *
 * A row of scores is never there as a whole. For each query the program keeps the largest score so far, m, and of the
 * sums of exp(s - m) and exp(s - m) v what the columns so far give; where new columns raise m, it multiplies what it has by
 * exp(old m - new m). Source: Milakov and Gimelshein, arXiv 1805.02867; Dao et al., arXiv 2205.14135.
 */
export function forwardProgram(
  sizes: Sizes,
  storage: Storage,
  block = blockFor(sizes.queries, quadsOfLane(sizes.valueSize), storage),
): BlockProgram {
  const quads = quadsOfLane(sizes.valueSize);
  const { q, k, v, dy } = operandsOf(sizes);
  const result = { ...dy, name: 'result' };
  const vectors = (code: (h: number) => string) => each(block.rowVectors, code);
  const ofRow = (name: string, r: number) => `${name}${r >> 2}[${r & 3}]`;
  return {
    name: 'attention',
    block,
    sizes,
    reads: [q, k, v],
    perQuery: [],
    writes: [result],
    writesPerQuery: ['logarithms'],
    declarations: `
var<workgroup> parts : array<vec4<f32>, ${lanes * lanes * block.rowVectors}>;

fn writeLogarithms(group : u32, row : u32, values : vec4<f32>) {
  for (var i = 0u; i < 4u; i++) {
    if (row + i < uniforms.queries) { logarithms[group * uniforms.queries + row + i] = values[i]; }
  }
}`,
    body: `
  ${vectors((h) => `var m${h} = vec4<f32>(${lowest}); var l${h} = vec4<f32>();`)}
  ${zeros('o', 4 * block.rowVectors, quads)}
  for (var firstColumn = 0u; firstColumn < uniforms.keys; firstColumn += ${columns}u) {
    ${product(block, 's', q, k)}
    ${each(4, (c) => `let inside${c} = ${columnAt(c)} < uniforms.keys;`)}
    ${eachScore(block, (c, h) => `s${c}_${h} = select(vec4<f32>(${lowest}), s${c}_${h} * uniforms.scale, inside${c});`)}

    ${vectors((h) => putPart(block, h, `max(max(s0_${h}, s1_${h}), max(s2_${h}, s3_${h}))`))}
    workgroupBarrier();
    ${vectors((h) => `var top${h} = m${h};`)}
    ${overParts(block, (h, part) => `top${h} = max(top${h}, ${part});`)}
    ${vectors((h) => `let shrink${h} = exp(m${h} - top${h}); m${h} = top${h};`)}

    // Of the sum of exponentials, every invocation has the part that its own columns give.
    ${eachScore(block, (c, h) => `s${c}_${h} = select(vec4<f32>(), exp(s${c}_${h} - m${h}), inside${c});`)}
    ${vectors((h) => `l${h} = l${h} * shrink${h} + s0_${h} + s1_${h} + s2_${h} + s3_${h};`)}
    ${eachSum(block, quads, (r, j) => `o${r}_${j} *= ${ofRow('shrink', r)};`)}
    ${storeWeights(block, (c, h) => `s${c}_${h}`)}
    ${addWeighted(block, 'o', v, quads)}
  }
  ${vectors((h) => putPart(block, h, `l${h}`))}
  workgroupBarrier();
  ${vectors((h) => `var total${h} = vec4<f32>();`)}
  ${overParts(block, (h, part) => `total${h} += ${part};`)}
  ${writeRows(block, result, quads, (r, j) => `o${r}_${j} / ${ofRow('total', r)}`)}
  if (mine && tx == 0u) {
    ${vectors((h) => `writeLogarithms(group, ${rowAt(block, h)}, m${h} + log(total${h}));`)}
  }`,
  };
}

/** Below every score, and finite: WGSL promises nothing about infinities. */
const lowest = '-3.4028234e38';

const partAt = ({ rowVectors }: Block, lane: string, h: number) =>
  `parts[${lane} * ${lanes * rowVectors}u + ty * ${rowVectors}u + ${h}u]`;

/** Gives a vector to the other invocations of the line. */
function putPart(block: Block, h: number, value: string): string {
  return `${partAt(block, 'tx', h)} = ${value};`;
}

/** Code for what each invocation of the line has given. */
function overParts(block: Block, code: (h: number, part: string) => string): string {
  return `for (var lane = 0u; lane < ${lanes}u; lane++) {
      ${each(block.rowVectors, (h) => code(h, partAt(block, 'lane', h)))}
    }`;
}
