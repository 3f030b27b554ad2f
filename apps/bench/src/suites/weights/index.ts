import type { Comparison, Suite } from '../../core/comparison.ts';
import { formatsComparison } from './formats.node.ts';
import { freshComparison } from './fresh.node.ts';
import { largeComparisons } from './large.node.ts';
import { parseComparison } from './parse.node.ts';

/** Loading files of weights into models, for which PyTorch is the measure where a Python has it. */
export const weightsSuite: Suite = {
  name: 'weights',
  title: 'Loading weights',
  homes: ['node'],
  backends: ['wasm'],
  comparisons: ({ scale }): Comparison[] =>
    scale === 'quick'
      ? [formatsComparison('deit_ti'), parseComparison('deit_ti'), ...largeComparisons()]
      : [
          freshComparison('uniformer_s'),
          freshComparison('tsm_resnet50'),
          formatsComparison('uniformer_s'),
          formatsComparison('tsm_resnet50'),
          parseComparison('uniformer_s'),
          ...largeComparisons(),
        ],
};
