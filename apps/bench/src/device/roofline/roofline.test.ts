import { matMul } from '@saccade/tensor-ops';
import { describeOnBackends } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { assemble } from '../../../scripts/assemble.ts';
import type { Bench } from '../../core/comparison.ts';
import { rooflineShare } from '../../core/rooflineShare.ts';
import { median } from '../../core/statistics.ts';
import { openBench } from '../openBench.node.ts';
import { measureRoofline } from './index.ts';
import { ROOFLINE_MODULE_BASE64 } from './simd.generated.ts';

it('the embedded module is what assembly/roofline.ts compiles to', async () => {
  const lines = [...(await assemble()).matchAll(/^ {2}'(.*)',$/gm)].map((match) => match[1]);
  expect(lines.join('')).toBe(ROOFLINE_MODULE_BASE64);
});

/** Milliseconds of a product of square matrices. */
async function productMs(bench: Bench, size: number): Promise<number> {
  const x = tf.fill([size, size], 1 / size) as tf.Tensor2D;
  const samples: number[] = [];
  for (let run = 0; run < 6; run++) {
    const began = bench.now();
    const y = matMul(x, x);
    await bench.settle();
    // The first one compiles.
    if (run > 0) samples.push(bench.now() - began);
    y.dispose();
  }
  x.dispose();
  return median(samples);
}

describeOnBackends('measureRoofline', (backend) => {
  it('finds rates of a real machine, which no product exceeds', async () => {
    const { bench } = await openBench({ home: 'node', backend: backend.name, softwareGpu: true, scale: 'quick' });
    const tensors = tf.memory().numTensors;
    const roofline = await measureRoofline(bench);
    expect(tf.memory().numTensors).toBe(tensors);
    if (roofline === undefined) throw new Error('it was not measured');

    // Anything from a loaded core with a software GPU to the largest GPUs; a wrong unit is off by a thousand.
    expect(roofline.bytesPerSecond).toBeGreaterThan(5e7);
    expect(roofline.bytesPerSecond).toBeLessThan(2e13);
    expect(roofline.flopsPerSecond).toBeGreaterThan(2e8);
    expect(roofline.flopsPerSecond).toBeLessThan(1e15);
    expect(roofline.dispatchMs).toBeGreaterThan(0);
    expect(roofline.dispatchMs).toBeLessThan(100);

    const size = backend.name === 'wasm' ? 384 : 128;
    const share = rooflineShare({ macs: size ** 3 }, await productMs(bench, size), roofline);
    // Best against median; what is above 100 is noise. XNNPACK comes close to the best, so that counting an operation
    // twice, or half of it, shows.
    expect(share?.percent, 'percent of the FMA rate').toBeLessThan(140);
    expect(share?.percent).toBeGreaterThan(backend.name === 'wasm' ? 15 : 0);
  });
});
