import type { Suite } from '../../core/comparison.ts';
import { planOf } from './plan.ts';

/** Whole networks, one for each family and size, for a batch of one; and the same networks by other libraries. */
export const backbonesSuite: Suite = {
  name: 'backbones',
  title: 'Backbones',
  homes: ['node', 'browser'],
  backends: ['wasm', 'webgpu', 'webgl'],
  comparisons: planOf,
};
