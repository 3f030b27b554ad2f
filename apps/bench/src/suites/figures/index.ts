import type { Suite } from '../../core/comparison.ts';
import { dgComparisons } from './dg.ts';
import { structComparisons } from './structsa.ts';

/**
 * Figures at the sizes of the papers' own layers, which are not those of the suite of operators: DG-Attention at stage 1 of
 * DGT-T, StructSA at stage 3 of StructViT-S-4-1. LiSA's are there.
 */
export const figuresSuite: Suite = {
  name: 'figures',
  title: 'Operators at the sizes of their papers',
  homes: ['node'],
  backends: ['wasm', 'webgpu'],
  comparisons: (place) => [
    // A processor that plays a GPU says nothing about either.
    ...(place.softwareGpu ? [] : dgComparisons(place)),
    ...structComparisons(place),
  ],
};
