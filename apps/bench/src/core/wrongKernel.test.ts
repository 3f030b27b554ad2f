import { describeOnBackends } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { createBench } from '../device/createBench.ts';
import { compareValues, type Values } from './check.ts';
import type { Comparison } from './comparison.ts';
import { measureComparison } from './measure.ts';
import { OPTIONS, TIMES } from './testing/fakeBench.ts';
import { tfjsContender } from './tfjsContender.ts';

const kernelName = 'DeliberatelyWrong';

/** What a kernel makes of its result before it hands it out. */
type Fault = (values: Float32Array) => void;

const faults: Readonly<Record<string, Fault>> = {
  'one number off by 1 %': (values) => {
    values[17] = (values[17] as number) * 1.01;
  },
  'one number is NaN': (values) => {
    values[3] = Number.NaN;
  },
  'all numbers are zero': (values) => {
    values.fill(0);
  },
};

interface Heap {
  makeOutput(shape: number[], dtype: tf.DataType): tf.TensorInfo;
  typedArrayFromHeap(tensor: tf.TensorInfo): Float32Array;
}

/** Squares on wasm, with a fault. */
function registerSquare(fault: Fault): void {
  tf.registerKernel({
    kernelName,
    backendName: 'wasm',
    kernelFunc: ({ inputs, backend }) => {
      const [x, heap] = [inputs.x as tf.TensorInfo, backend as unknown as Heap];
      const y = heap.makeOutput(x.shape, 'float32');
      const values = heap.typedArrayFromHeap(y);
      values.set(heap.typedArrayFromHeap(x).map((value) => value * value));
      fault(values);
      return y;
    },
  });
}

/** The wrong kernel beside tfjs' own, both against squares in float64. */
const comparison: Comparison = {
  suite: 'tests',
  id: 'square',
  parameters: {},
  async prepare(bench) {
    const numbers = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i) + 2);
    const x = tf.tensor1d(numbers);
    const expected = Float64Array.from(numbers, (value) => value * value);
    const check = (values: Values) => compareValues('squares in float64', values, [expected], 1e-5);
    return {
      contenders: [
        tfjsContender(bench, {
          name: 'wrong',
          compute: () => tf.engine().runKernel(kernelName, { x }) as tf.Tensor,
          check,
        }),
        tfjsContender(bench, { name: 'right', compute: () => tf.square(x), check }),
      ],
      baseline: 'wrong',
      dispose: () => x.dispose(),
    };
  },
};

describeOnBackends(
  'a deliberately wrong kernel',
  () => {
    it.each(Object.entries(faults))('is refused a time: %s', async (_, fault) => {
      registerSquare(fault);
      const tensors = tf.memory().numTensors;
      try {
        const bench = await createBench({ home: 'node', backend: 'wasm', softwareGpu: false, scale: 'quick' });
        const rows = await measureComparison(comparison, { bench, options: OPTIONS });
        const [wrong, right] = rows;
        expect(wrong).toMatchObject({
          contender: 'wrong',
          status: 'wrong',
          reason: expect.stringMatching(/^off by .* of the largest value from squares in float64, allowed 1.0e-5$/),
        });
        expect(wrong?.check?.error).toBeGreaterThan(1e-5);
        for (const time of TIMES) expect(wrong).not.toHaveProperty(time);
        expect(right).toMatchObject({ contender: 'right', status: 'measured' });
        expect(right?.wallMs?.median).toBeGreaterThan(0);
        expect(right?.samplesMs?.length).toBeGreaterThanOrEqual(20);
        // Nobody is compared with a wrong result.
        expect(right?.baseline).toBe('right');
        expect(tf.memory().numTensors).toBe(tensors);
        // It survives the file: JSON has neither NaN nor infinity.
        expect(JSON.parse(JSON.stringify(rows))).toEqual(rows);
      } finally {
        tf.unregisterKernel(kernelName, 'wasm');
      }
    });

    it('has a time once it is right', async () => {
      registerSquare(() => {});
      const bench = await createBench({ home: 'node', backend: 'wasm', softwareGpu: false, scale: 'quick' });
      const rows = await measureComparison(comparison, { bench, options: OPTIONS });
      tf.unregisterKernel(kernelName, 'wasm');
      expect(rows.map(({ status }) => status)).toEqual(['measured', 'measured']);
      expect(rows[1]?.timeRatio?.value).toBeGreaterThan(0);
    });
  },
  { backends: ['wasm'] },
);
