import { describeOnBackends } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it, vi } from 'vitest';
import { webgpuDevice } from '../webgpu/backend.ts';
import { runWebGPUProgram } from '../webgpu/program.ts';
import { gpuTime } from './gpuTime.ts';
import { settle } from './settle.ts';

describeOnBackends('settle', (backend) => {
  it('has nothing to report when all is well', async () => {
    tf.square(tf.ones([16])).dispose();
    expect(await settle()).toEqual([]);
  });

  it('gives no time of a GPU where there is none', async () => {
    if (backend.name !== 'webgpu') expect(await gpuTime(() => tf.square(tf.ones([16])).dispose())).toBeUndefined();
  });
});

/** A program of ours that computes for long. */
function looping(x: tf.Tensor, steps: number): tf.Tensor {
  return runWebGPUProgram(
    {
      name: `test_loop_${steps}`,
      inputs: ['x'],
      output: { shape: x.shape, dtype: 'float32' },
      workgroupSize: [64, 1, 1],
      dispatch: 'elements',
      body: `var s = x[index]; for (var i = 0; i < ${steps}; i++) { s = fma(s, 0.999, 1.0); } result[index] = s;`,
    },
    [x],
  );
}

describeOnBackends(
  'on a GPU',
  () => {
    it('settle waits for what is recorded, and reads nothing back', async () => {
      const x = tf.ones([4096]);
      looping(x, 60_000).dispose(); // compiles
      await settle();
      const map = vi.spyOn(GPUBuffer.prototype, 'mapAsync');
      const timed = async () => {
        const began = performance.now();
        await settle();
        return performance.now() - began;
      };
      looping(x, 60_000).dispose();
      const busy = await timed();
      const idle = Math.min(await timed(), await timed(), await timed());
      expect(busy, `milliseconds, against ${idle} with nothing to wait for`).toBeGreaterThan(5 * idle);
      expect(map).not.toHaveBeenCalled();
      map.mockRestore();
      x.dispose();
    });

    it('settle hands over what the device reported, once', async () => {
      webgpuDevice().createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
      expect(await settle()).toEqual([expect.stringMatching(/usage/i)]);
      expect(await settle()).toEqual([]);
    });

    it('gpuTime counts programs of tfjs and of ours, and nothing else', async () => {
      const x = tf.ones([4096]);
      const time = async (action: () => void) => {
        await gpuTime(action); // compiles
        return (await gpuTime(action)) ?? Number.NaN;
      };
      expect(await time(() => {})).toBe(0);
      const short = await time(() => looping(x, 1_000).dispose());
      const long = await time(() => looping(x, 50_000).dispose());
      expect(short).toBeGreaterThanOrEqual(0);
      expect(long, `milliseconds, against ${short} for a fiftieth`).toBeGreaterThan(5 * short);
      const matrix = tf.ones([192, 192]) as tf.Tensor2D;
      expect(await time(() => tf.matMul(matrix, matrix).dispose())).toBeGreaterThan(0);
      tf.dispose([x, matrix]);
    });

    it('gpuTime is not rounded in Node', async () => {
      const x = tf.ones([4096]);
      const times: number[] = [];
      for (let run = 0; run < 4; run++) times.push((await gpuTime(() => tf.square(x).dispose())) ?? Number.NaN);
      // Dawn rounds to 2^16 ns unless it is told not to.
      const steps = times.map((milliseconds) => (milliseconds * 1e6) / 2 ** 16);
      expect(steps.every(Number.isInteger), `steps: ${steps}`).toBe(false);
      x.dispose();
    });

    it('gpuTime gives nothing where the device has no timestamps', async () => {
      const has = vi.spyOn(webgpuDevice().features, 'has').mockReturnValue(false);
      expect(await gpuTime(() => tf.square(tf.ones([16])).dispose())).toBeUndefined();
      has.mockRestore();
    });
  },
  { backends: ['webgpu'] },
);
