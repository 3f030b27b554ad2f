import type { Block } from './attentionBlocks.ts';
import { forwardProgram } from './attentionForward.ts';
import type { FlatProgram } from './dynamicGroupsRows.ts';
import {
  blockOfPlaces,
  blockOfPlacesMemory,
  type GroupedSizes,
  groupedOperands,
  groupedProgram,
  placeBlocks,
  plainSizes,
} from './groupedAttentionBlocks.ts';
import { planLayout } from './groupedAttentionPlan.ts';

/**
 * Attention of each query over the keys of its group, in one pass: q [B*h, N, e], k [B*h, L, e], v [B*h, L, f], plan ->
 * result [B*h, N, f] and `logarithms` [B*h, blocks, P], the logarithm of the sum of exponentials for each place.
 *
 * The walk over the keys is that of plain attention, word for word; see there for the softmax without its rows.
 */
export function groupedForwardProgram(sizes: GroupedSizes, block: Block): FlatProgram {
  const { body, declarations = '' } = forwardProgram(plainSizes(sizes), 'f32', block);
  const { q, k, v, dy } = groupedOperands(sizes);
  const result = { ...dy, name: 'result' };
  const { heads, queries, rows, valueSize } = sizes;
  return groupedProgram({
    name: 'groupedAttention',
    block,
    sizes,
    reads: [q, k, v],
    writes: [{ operand: result, shape: [heads, queries, valueSize], at: 'queryRow(group, row)' }],
    moreWrites: [{ name: 'logarithms', shape: [heads, planLayout(sizes).blocks, rows], dtype: 'float32' }],
    workgroups: placeBlocks(sizes),
    declarations: `${blockOfPlacesMemory}\n${declarations}`,
    body: `${blockOfPlaces(block)}\n${body}`,
  });
}
