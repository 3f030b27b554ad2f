import { type Block, columns, quadsOfLane, zeros } from './attentionBlocks.ts';
import { addWeighted, columnAt, product, rowAt, storeWeights, writeRows } from './attentionProducts.ts';
import { each } from './depthwiseTokensLayout.ts';
import type { FlatProgram } from './dynamicGroupsRows.ts';
import {
  blockOfPlaces,
  blockOfPlacesMemory,
  type GroupedSizes,
  groupedOperands,
  groupedProgram,
  placeBlocks,
} from './groupedAttentionBlocks.ts';

/**
 * Gradient of grouped attention with respect to its queries: q [B*h, N, e], k [B*h, L, e], v [B*h, L, f], dy [B*h, N, f],
 * statistics, plan -> [B*h, N, e]. With j over the keys of i's group:
 *
 * `A_ij = exp(scale q_i . k_j - logarithm_i)`, `dS_ij = A_ij (dy_i . v_j - delta_i)`, `dq_i = scale sum_j dS_ij k_j`.
 */
export function groupedQueryGradProgram(sizes: GroupedSizes, block: Block): FlatProgram {
  const quads = quadsOfLane(sizes.keySize);
  const { q, k, v, dy } = groupedOperands(sizes);
  const result = { ...q, name: 'result' };
  const { heads, queries, keySize } = sizes;
  const ofRows = (h: number, which: 0 | 1) => {
    const numbers = [0, 1, 2, 3].map((i) => `statistics[at${h} + ${2 * i + which}u]`);
    return `vec4<f32>(${numbers.join(', ')})`;
  };
  return groupedProgram({
    name: 'groupedAttentionQueryGrad',
    block,
    sizes,
    reads: [q, k, v, dy],
    moreReads: ['statistics'],
    writes: [{ operand: result, shape: [heads, queries, keySize], at: 'queryRow(group, row)' }],
    workgroups: placeBlocks(sizes),
    declarations: blockOfPlacesMemory,
    body: `
  ${blockOfPlaces(block)}
  ${each(
    block.rowVectors,
    (h) => `
  let at${h} = 2u * (group * uniforms.queries + ${rowAt(block, h)});
  let logarithms${h} = ${ofRows(h, 0)};
  let delta${h} = ${ofRows(h, 1)};`,
  )}
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
  });
}
