import type { Suite } from '../../core/comparison.ts';

/** Bytes of a bundle. */
export const bundleSuite: Suite = {
  name: 'bundle',
  title: 'Bytes of a bundle',
  homes: ['node'],
  backends: ['wasm'],
  comparisons: () => [],
};
