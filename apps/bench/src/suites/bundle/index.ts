import type { Comparison, Suite } from '../../core/comparison.ts';
import { importGroups, importsComparison } from './imports.node.ts';
import { NETWORK, stacksComparison, TFJS } from './stacks.node.ts';

/** What users download: bytes of code and binaries, by the bundler that applications use. */
export const bundleSuite: Suite = {
  name: 'bundle',
  title: 'Bytes of a bundle',
  homes: ['node'],
  // Of one backend only, since none computes anything here.
  backends: ['wasm'],
  comparisons: ({ scale }): Comparison[] => {
    const groups = Object.entries(importGroups()).map(([group, list]) => importsComparison(group, list));
    return scale === 'quick'
      ? groups.filter(({ id }) => id === 'imports/budgets')
      : [...groups, stacksComparison('tfjs', TFJS), stacksComparison('network', NETWORK)];
  },
};
