import { type Block, columns, quadsOfLane, zeros } from './attentionBlocks.ts';
import { addWeighted, columnAt, eachScore, product, storeWeights, writeRows } from './attentionProducts.ts';
import { each } from './depthwiseTokensLayout.ts';
import { type FlatProgram, type Heads, workgroupIndex } from './dynamicGroupsRows.ts';
import { type GroupedSizes, groupedOperands, groupedProgram, rowsOf } from './groupedAttentionBlocks.ts';

/**
 * What each group gives to the gradients of its keys and values, in one pass over its queries: k [B*h, L, e],
 * v [B*h, L, f], q [B*h, N, e], dy [B*h, N, f], statistics, plan -> result [heads, G, k', e] and `dv` [heads, G, k', f] for
 * some of the heads.
 *
 * With A and dS as in the gradient of the queries and i over the group's queries: `dk_j = scale sum_i dS_ij q_i`,
 * `dv_j = sum_i A_ij dy_i`. A group without queries gives zeros.
 */
export function groupedKeyValueGradProgram(sizes: GroupedSizes, block: Block, part: Heads): FlatProgram {
  const [quadsE, quadsF] = [quadsOfLane(sizes.keySize), quadsOfLane(sizes.valueSize)];
  const { q, k, v, dy } = groupedOperands(sizes);
  const [dk, dv] = [
    { ...k, name: 'result' },
    { ...v, name: 'dv' },
  ];
  const { groups, count, keySize, valueSize } = sizes;
  const at = 'slotRow(group, row)';
  const blocks = Math.ceil(count / rowsOf(block));
  return groupedProgram({
    name: 'groupedAttentionKeyValueGrad',
    block,
    sizes,
    reads: [k, v, q, dy],
    moreReads: ['statistics'],
    writes: [
      { operand: dk, shape: [part.heads, groups, count, keySize], at },
      { operand: dv, shape: [part.heads, groups, count, valueSize], at },
    ],
    numbers: { first: part.first, some: part.heads },
    workgroups: part.heads * groups * blocks,
    declarations: `
// From the group's first place on, to its end: the places that have its queries.
var<workgroup> placesOfGroup : vec2<u32>;

fn slotRow(head : u32, slot : u32) -> i32 {
  let row = ((head - uniforms.first) * uniforms.groups + ownGroup) * uniforms.keys + slot;
  return select(-1, i32(row), slot < uniforms.keys);
}`,
    body: `
  let blocks = (uniforms.keys + ${rowsOf(block) - 1}u) / ${rowsOf(block)}u;
  let groupOfAll = min(${workgroupIndex} / blocks, uniforms.some * uniforms.groups - 1u);
  let group = uniforms.first + groupOfAll / uniforms.groups;
  ownGroup = groupOfAll % uniforms.groups;
  let firstRow = ${workgroupIndex} % blocks * ${rowsOf(block)}u;
  let mine = ${workgroupIndex} < uniforms.some * uniforms.groups * blocks;
  if (localIndex == 0u) {
    let line = group * uniforms.line + ownGroup;
    let firstPlace = u32(plan[line + uniforms.firstAt]);
    placesOfGroup = vec2<u32>(firstPlace, firstPlace + u32(plan[line + uniforms.countsAt]));
  }
  let places = workgroupUniformLoad(&placesOfGroup);
  ${zeros('k', 4 * block.rowVectors, quadsE)}
  ${zeros('v', 4 * block.rowVectors, quadsF)}
  for (var firstColumn = places.x; firstColumn < places.y; firstColumn += ${columns}u) {
    ${product(block, 's', k, q)}
    ${product(block, 'da', v, dy)}
    ${each(4, (c) => {
      return `let inside${c} = ${columnAt(c)} < places.y;
    let at${c} = 2u * (group * uniforms.queries + min(${columnAt(c)}, places.y - 1u));`;
    })}
    ${eachScore(block, (c, h) => {
      const a = `exp(s${c}_${h} * uniforms.scale - statistics[at${c}])`;
      return `s${c}_${h} = select(vec4<f32>(), ${a}, inside${c});`;
    })}
    ${storeWeights(block, (c, h) => `s${c}_${h}`)}
    ${addWeighted(block, 'v', dy, quadsF)}
    ${storeWeights(block, (c, h) => `s${c}_${h} * (da${c}_${h} - statistics[at${c} + 1u])`)}
    ${addWeighted(block, 'k', q, quadsE)}
  }
  ${writeRows(block, dk, quadsE, (r, j) => `k${r}_${j} * uniforms.scale`)}
  ${writeRows(block, dv, quadsF, (r, j) => `v${r}_${j}`)}`,
  });
}
