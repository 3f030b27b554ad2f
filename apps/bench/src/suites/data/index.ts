import type { Suite } from '../../core/comparison.ts';

/** Video, images and loaders. */
export const dataSuite: Suite = {
  name: 'data',
  title: 'Video, images and loaders',
  homes: ['node'],
  backends: ['wasm'],
  comparisons: () => [],
};
