import type { Suite } from '../../core/comparison.ts';
import { operatorComparison } from './comparison.ts';
import { pointsOf } from './point.ts';

/**
 * Attention operators between projections, over tokens, head sizes, batches and directions: each is a function of the same
 * q, k and v [B, N, C], so that what is compared is the operator and not its linear layers.
 */
export const operatorsSuite: Suite = {
  name: 'operators',
  title: 'Attention operators',
  homes: ['node', 'browser'],
  backends: ['cpu', 'wasm', 'webgpu', 'webgl'],
  comparisons: (place) => pointsOf(place).map(operatorComparison),
};
