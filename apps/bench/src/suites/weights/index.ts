import type { Comparison, Suite } from '../../core/comparison.ts';
import { formatsComparison } from './formats.node.ts';
import { freshComparison } from './fresh.node.ts';
import { largeComparisons } from './large.node.ts';
import { ALL_FORMATS, QUICK_FORMATS } from './modelFiles.node.ts';
import { parseComparison } from './parse.node.ts';

/** Loading files of weights into models, for which PyTorch is the measure where a Python has it. */
export const weightsSuite: Suite = {
  name: 'weights',
  title: 'Loading weights',
  homes: ['node'],
  backends: ['wasm'],
  comparisons: ({ scale }): Comparison[] =>
    scale === 'quick'
      ? // Without parsing alone: of a small file it takes so little that collecting garbage decides its ratios.
        [formatsComparison('deit_ti', QUICK_FORMATS), ...largeComparisons()]
      : [
          freshComparison('uniformer_s'),
          freshComparison('tsm_resnet50'),
          formatsComparison('uniformer_s', ALL_FORMATS),
          formatsComparison('tsm_resnet50', ALL_FORMATS),
          parseComparison('uniformer_s', ALL_FORMATS),
          ...largeComparisons(),
        ],
};
