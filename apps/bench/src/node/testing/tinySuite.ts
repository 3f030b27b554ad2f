import * as tf from '@tensorflow/tfjs-core';
import { compareValues } from '../../core/check.ts';
import type { Bench, Comparison, Prepared, Suite } from '../../core/comparison.ts';
import { tfjsContender } from '../../core/tfjsContender.ts';

/** A suite that takes no time, for tests of what goes on around suites. */
export const tinySuite: Suite = {
  name: 'tiny',
  title: 'Tiny things',
  homes: ['node'],
  backends: ['wasm', 'cpu'],
  comparisons: () => [
    ...[784, 1568, 3136].map((tokens) => comparison(`sum/n${tokens}`, { tokens }, (bench) => sums(bench, tokens))),
    comparison('wrong', {}, (bench) => sums(bench, 100, 'wrong')),
  ],
};

/** One comparison that is measured, one that nothing survives, one more, and one that lasts until somebody stops it. */
export const mortalSuite: Suite = {
  name: 'mortal',
  title: 'Things that end badly',
  homes: ['node'],
  backends: ['cpu'],
  comparisons: () => [
    comparison('first', {}, (bench) => sums(bench, 100)),
    comparison('death', {}, () => {
      console.error('the last words of a kernel');
      process.exit(7);
    }),
    comparison('second', {}, (bench) => sums(bench, 100)),
    comparison('endless', {}, () => new Promise<Prepared>((resolve) => setTimeout(resolve, 1e9))),
  ],
};

function comparison(
  id: string,
  parameters: Comparison['parameters'],
  prepare: (bench: Bench) => Promise<Prepared>,
): Comparison {
  return { suite: id.startsWith('sum') || id === 'wrong' ? 'tiny' : 'mortal', id, parameters, prepare };
}

/** Twice a number, by addition and by multiplication; or thrice, where it should be twice. */
async function sums(bench: Bench, length: number, how: 'right' | 'wrong' = 'right'): Promise<Prepared> {
  const x = tf.range(0, length);
  const expected = [Array.from({ length }, (_, i) => 2 * i)];
  const check = (actual: Parameters<typeof compareValues>[1]) => compareValues('doubled', actual, expected, 1e-6);
  return {
    contenders: [
      tfjsContender(bench, {
        name: 'sum',
        compute: () => tf.add(x, x),
        check,
        cost: { macs: length, bytes: 8 * length },
      }),
      tfjsContender(bench, {
        name: 'product',
        role: 'peer',
        compute: () => tf.mul(x, how === 'right' ? 2 : 3),
        check,
      }),
    ],
    baseline: 'product',
    absent: [{ name: 'abacus', reason: 'nobody has one' }],
    dispose: () => x.dispose(),
  };
}
