import { withGradient } from '@saccade/tensor-ops';
import { describeOnBackends, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Comparison, SuitePlace } from '../../core/comparison.ts';
import { MEASURE, measureComparison } from '../../core/measure.ts';
import { normalInput } from '../support/inputs.ts';
import { sampleOutputs } from '../support/samples.ts';
import { testBench } from '../support/testing.ts';
import { opComparison } from './comparison.ts';
import { tensorOpsSuite } from './index.ts';
import type { OpCase } from './opCase.ts';

const place: SuitePlace = { home: 'node', backend: 'wasm', softwareGpu: false, scale: 'full' };

describe('the list of comparisons', () => {
  it('is made without a backend; its names are unique', () => {
    const listed = tensorOpsSuite.comparisons(place);
    expect(listed.length).toBeGreaterThan(30);
    expect(new Set(listed.map(({ id }) => id)).size).toBe(listed.length);
    for (const { id, suite } of listed)
      expect([suite, id]).toEqual(['tensor-ops', expect.stringMatching(/^[\w.\-/]+$/)]);
  });

  it('is short on software GPUs, in JavaScript, and when it must be quick', () => {
    const few = tensorOpsSuite.comparisons({ ...place, scale: 'quick' }).map(({ id }) => id);
    expect(few.length).toBeGreaterThan(5);
    expect(tensorOpsSuite.comparisons({ ...place, backend: 'cpu' }).map(({ id }) => id)).toEqual(few);
    expect(tensorOpsSuite.comparisons({ ...place, backend: 'webgpu', softwareGpu: true }).map(({ id }) => id)).toEqual(
      few,
    );
  });
});

/** Checks every contender; those that throw are named, with what they say. */
async function problemsOf(comparison: Comparison, bench: ReturnType<typeof testBench>): Promise<string[]> {
  const prepared = await comparison.prepare(bench);
  const problems: string[] = [];
  for (const contender of prepared.contenders) {
    try {
      const { error, tolerance } = await contender.check();
      if (!(error <= tolerance)) problems.push(`${comparison.id} ${contender.name}: off by ${error}`);
    } catch (error) {
      problems.push(`${comparison.id} ${contender.name}: ${(error as Error).message}`);
    }
  }
  await prepared.dispose();
  return problems;
}

describeOnBackends(
  'tensor operations',
  (backend) => {
    it('are right, stock and ours, and leave nothing behind', async () => {
      await expectNoLeak(async () => {
        // What a software GPU takes seconds for is tried on wasm alone, and the largest sizes when the suite runs.
        const tried =
          backend.name === 'webgpu'
            ? /layerNorm.*forward$|dynamicGroups/
            : /layerNorm|depthwise.*14x14|dynamicGroups|maxMean|(gelu|temporalShift.8x14|attention.*|gridCorrelation|linear|l2Norm).*forward$/i;
        const problems: string[] = [];
        for (const comparison of tensorOpsSuite.comparisons(place)) {
          if (tried.test(comparison.id)) problems.push(...(await problemsOf(comparison, testBench(backend))));
        }
        expect(problems).toEqual([]);
        return [];
      });
    });

    it('say so where stock TensorFlow.js has no gradient', async () => {
      const inference = tensorOpsSuite.comparisons(place).find(({ id }) => /batchNorm-inference.*backward/.test(id));
      const prepared = await (inference as Comparison).prepare(testBench(backend));
      const stock = prepared.contenders.find(({ name }) => name === prepared.baseline);
      await expect(stock?.run()).rejects.toThrow(/gradient function not found for FusedBatchNorm/);
      await prepared.dispose();
    });

    it('have no time when they are wrong', async () => {
      const x = normalInput('x', [64, 8]);
      const squares = (factor: number) => (tensors: readonly tf.Tensor[]) =>
        withGradient(
          [tensors[0] as tf.Tensor],
          ([x]) => ({ value: tf.square(x), saved: [x] }),
          (dy, [x]) => [tf.mul(tf.mul(dy, x), 2 * factor)],
        );
      const common = {
        inputs: [x],
        outputShape: x.shape,
        samples: () => sampleOutputs(x.shape, ([i, j]) => (x.values[8 * (i as number) + (j as number)] as number) ** 2),
      };
      const opCase: OpCase = {
        name: 'square/64x8',
        parameters: { operation: 'square' },
        directions: ['forward+backward'],
        works: () => [
          { ...common, name: 'tfjs', role: 'peer', apply: squares(1.1) },
          { ...common, name: 'tensor-ops', apply: squares(1) },
        ],
      };
      const options = { ...MEASURE.quick, samples: 2, mostSamples: 2, steadyMs: 1, shortestSampleMs: 0.1 };
      const bench = testBench(backend);
      const rows = await measureComparison(opComparison(opCase, 'forward+backward'), { bench, options });
      const [wrong, right] = ['tfjs', 'tensor-ops'].map((name) => rows.find(({ contender }) => contender === name));
      expect(wrong).toMatchObject({
        status: 'wrong',
        reason: expect.stringMatching(/differences along each gradient/),
      });
      expect([wrong?.wallMs, wrong?.samplesMs]).toEqual([undefined, undefined]);
      expect(right?.status).toBe('measured');
      // Nobody is compared with a wrong result.
      expect(right?.baseline).toBe('tensor-ops');
    });
  },
  { backends: ['wasm', 'webgpu'] },
);
