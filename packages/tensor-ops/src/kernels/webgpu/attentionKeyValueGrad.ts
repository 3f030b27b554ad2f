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
import { addWeighted, columnAt, eachScore, product, storeWeights, writeRows } from './attentionProducts.ts';
import { each } from './depthwiseTokensLayout.ts';

/**
 * Gradients of attention with respect to its keys and values, in one pass over the queries: k [G, L, e], v [G, L, f],
 * q [G, N, e], dy [G, N, f], logarithms and delta [G, N] -> result [G, L, e] and `dv` [G, L, f].
 *
 * With A and dS as in the gradient of the queries: `dk_j = scale sum_i dS_ij q_i`, `dv_j = sum_i A_ij dy_i`.
 */
export function keyValueGradProgram(sizes: Sizes, storage: Storage): BlockProgram {
  const [quadsE, quadsF] = [quadsOfLane(sizes.keySize), quadsOfLane(sizes.valueSize)];
  const block = blockFor(sizes.keys, quadsE + quadsF, storage);
  const { q, k, v, dy } = operandsOf(sizes);
  const [dk, dv] = [
    { ...k, name: 'result' },
    { ...v, name: 'dv' },
  ];
  return {
    name: 'attentionKeyValueGrad',
    block,
    sizes,
    reads: [q, k, v, dy],
    perQuery: ['logarithms', 'delta'],
    writes: [dk, dv],
    body: `
  ${zeros('k', 4 * block.rowVectors, quadsE)}
  ${zeros('v', 4 * block.rowVectors, quadsF)}
  for (var firstColumn = 0u; firstColumn < uniforms.queries; firstColumn += ${columns}u) {
    ${product(block, 's', k, q)}
    ${product(block, 'da', v, dy)}
    ${each(4, (c) => {
      return `let inside${c} = ${columnAt(c)} < uniforms.queries;
    let query${c} = group * uniforms.queries + min(${columnAt(c)}, uniforms.queries - 1u);`;
    })}
    ${eachScore(block, (c, h) => {
      const a = `exp(s${c}_${h} * uniforms.scale - logarithms[query${c}])`;
      return `s${c}_${h} = select(vec4<f32>(), ${a}, inside${c});`;
    })}
    ${storeWeights(block, (c, h) => `s${c}_${h}`)}
    ${addWeighted(block, 'v', dy, quadsF)}
    ${storeWeights(block, (c, h) => `s${c}_${h} * (da${c}_${h} - delta[query${c}])`)}
    ${addWeighted(block, 'k', q, quadsE)}
  }
  ${writeRows(block, dk, quadsE, (r, j) => `k${r}_${j} * uniforms.scale`)}
  ${writeRows(block, dv, quadsF, (r, j) => `v${r}_${j}`)}`,
  };
}
