import {
  type BlockProgram,
  blockFor,
  columns,
  operandsOf,
  quadsOfLane,
  type Sizes,
  type Storage,
  zeros,
} from './attentionBlocks.ts';
import { addWeighted, columnAt, product, rowAt, storeWeights, writeRows } from './attentionProducts.ts';
import { each } from './depthwiseTokensLayout.ts';

/**
 * Gradient of attention with respect to its queries, in one pass over the keys: q [G, N, e], k [G, L, e], v [G, L, f],
 * dy [G, N, f], logarithms and delta [G, N] -> [G, N, e].
 *
 * `A_ij = exp(scale q_i . k_j - logarithm_i)`, `dS_ij = A_ij (dy_i . v_j - delta_i)`, `dq_i = scale sum_j dS_ij k_j`.
 */
export function queryGradProgram(sizes: Sizes, storage: Storage): BlockProgram {
  const quads = quadsOfLane(sizes.keySize);
  const block = blockFor(sizes.queries, quads, storage);
  const { q, k, v, dy } = operandsOf(sizes);
  const result = { ...q, name: 'result' };
  const perQuery = ['logarithms', 'delta'];
  return {
    name: 'attentionQueryGrad',
    block,
    sizes,
    reads: [q, k, v, dy],
    perQuery,
    writes: [result],
    declarations: perQuery.map(readRows).join('\n'),
    body: `
  ${each(block.rowVectors, (h) => perQuery.map((x) => `let ${x}${h} = ${x}Rows(group, ${rowAt(block, h)});`).join('\n'))}
  ${zeros('o', 4 * block.rowVectors, quads)}
  for (var firstColumn = 0u; firstColumn < uniforms.keys; firstColumn += ${columns}u) {
    ${product(block, 's', q, k)}
    ${product(block, 'da', dy, v)}
    ${storeWeights(block, (c, h) => {
      const ds = `exp(s${c}_${h} * uniforms.scale - logarithms${h}) * (da${c}_${h} - delta${h})`;
      return `select(vec4<f32>(), ${ds}, ${columnAt(c)} < uniforms.keys)`;
    })}
    ${addWeighted(block, 'o', k, quads)}
  }
  ${writeRows(block, result, quads, (r, j) => `o${r}_${j} * uniforms.scale`)}`,
  };
}

/** The numbers of four rows, from `row` on. */
function readRows(name: string): string {
  const numbers = [0, 1, 2, 3].map(
    (i) => `${name}[group * uniforms.queries + min(row + ${i}u, uniforms.queries - 1u)]`,
  );
  return `fn ${name}Rows(group : u32, row : u32) -> vec4<f32> { return vec4<f32>(${numbers.join(', ')}); }`;
}
