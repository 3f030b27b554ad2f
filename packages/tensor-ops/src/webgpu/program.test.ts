import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { BackendError } from '../backendError.ts';
import {
  type MultiOutputProgram,
  runMultiOutputProgram,
  runWebGPUProgram,
  trimBufferPool,
  type WebGPUProgram,
  webgpuDevice,
  webgpuMemory,
} from './index.ts';

/** `y = a x + b`, elementwise, with the number `a` as a uniform and the tensor `b`. */
function scaleAndAdd(shape: readonly number[], a: number): WebGPUProgram {
  return {
    name: 'scaleAndAdd',
    inputs: ['x', 'b'],
    output: { shape, dtype: 'float32' },
    uniforms: [{ name: 'a', type: 'f32', value: a }],
    workgroupSize: [64, 1, 1],
    dispatch: 'elements',
    body: 'result[index] = uniforms.a * x[index] + b[index];',
  };
}

/** Sum over the last axis of `[rows, columns]`, one workgroup a row, by a tree in workgroup memory. */
function rowSums(rows: number): WebGPUProgram {
  return {
    name: 'rowSums_64',
    inputs: ['x'],
    output: { shape: [rows], dtype: 'float32' },
    workgroupSize: [64, 1, 1],
    dispatch: [rows, 1, 1],
    declarations: 'var<workgroup> part : array<f32, 64>;',
    body: `
      let columns = u32(uniforms.xShape[1]);
      var sum = 0.0;
      for (var c = localIndex; c < columns; c += 64u) { sum += x[workgroupId.x * columns + c]; }
      part[localIndex] = sum;
      workgroupBarrier();
      for (var width = 32u; width > 0u; width >>= 1u) {
        if (localIndex < width) { part[localIndex] += part[localIndex + width]; }
        workgroupBarrier();
      }
      if (localIndex == 0u) { result[workgroupId.x] = part[0]; }`,
  };
}

describeOnBackends(
  'runWebGPUProgram',
  (backend) => {
    it('computes a x + b, and takes a new uniform without a new shader', async () => {
      const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
      const b = tf.tensor2d([6, 5, 4, 3, 2, 1], [2, 3]);
      for (const a of [2, -0.5]) {
        const y = runWebGPUProgram(scaleAndAdd(x.shape, a), [x, b]);
        await expectClose(y, tf.add(tf.mul(x, a), b));
      }
      await expectNoLeak(() => runWebGPUProgram(scaleAndAdd(x.shape, 3), [x, b]));
    });

    it('shares work inside a workgroup', async () => {
      const x = tf.reshape(tf.range(0, 300), [3, 100]);
      await expectClose(runWebGPUProgram(rowSums(3), [x]), tf.sum(x, 1));
    });

    it('reads and writes vectors of four numbers', async () => {
      const [x, b] = [tf.reshape(tf.range(0, 24), [3, 8]), tf.fill([3, 8], 0.5)];
      const program: WebGPUProgram = {
        ...scaleAndAdd(x.shape, 2),
        name: 'scaleAndAddVectors',
        vectors: ['x', 'b', 'result'],
      };
      await expectClose(runWebGPUProgram(program, [x, b]), tf.add(tf.mul(x, 2), b));
    });

    it('writes several tensors, of several types', async () => {
      const x = tf.tensor1d([3, -1, 2]);
      const program: MultiOutputProgram = {
        name: 'squareAndSign',
        inputs: ['x'],
        output: { shape: [3], dtype: 'float32' },
        moreOutputs: [
          { name: 'signs', shape: [3, 1], dtype: 'int32' },
          { name: 'count', shape: [1], dtype: 'float32' },
        ],
        workgroupSize: [64, 1, 1],
        dispatch: 'elements',
        body: `
          result[index] = x[index] * x[index];
          signs[index] = i32(sign(x[index]));
          if (index == 0) { count[0] = f32(uniforms.size); }`,
      };
      const [squares, signs, count] = runMultiOutputProgram(program, [x]) as [tf.Tensor, tf.Tensor, tf.Tensor];
      expect([squares, signs, count].map(({ shape, dtype }) => [shape, dtype])).toEqual([
        [[3], 'float32'],
        [[3, 1], 'int32'],
        [[1], 'float32'],
      ]);
      await expectClose(squares, [9, 1, 4]);
      await expectClose(signs, [1, -1, 1]);
      await expectClose(count, [3]);
      await expectNoLeak(() => runMultiOutputProgram(program, [x]));
    });

    it('accepts a program that uses neither its input nor a uniform', async () => {
      const ones: WebGPUProgram = { ...scaleAndAdd([4], 0), name: 'ones', body: 'result[index] = 1.0;' };
      await expectClose(runWebGPUProgram(ones, [tf.zeros([4]), tf.zeros([4])]), [1, 1, 1, 1]);
    });

    it('enables extensions of WGSL', async () => {
      expect([...webgpuDevice().features], 'features of the test device').toContain('subgroups');
      const program: WebGPUProgram = {
        ...scaleAndAdd([1], 0),
        name: 'subgroupCount',
        enable: ['subgroups'],
        dispatch: [1, 1, 1],
        body: 'let n = subgroupAdd(1.0); if (localIndex == 0u) { result[0] = n; }',
      };
      const [count] = await runWebGPUProgram(program, [tf.zeros([1]), tf.zeros([1])]).data();
      expect(count).toBeGreaterThanOrEqual(4);
    });

    it('reports a shader that does not compile', async () => {
      const broken: WebGPUProgram = { ...scaleAndAdd([4], 0), name: 'broken', body: 'result[index] = nonsense;' };
      runWebGPUProgram(broken, [tf.zeros([4]), tf.zeros([4])]);
      const errors = await backend.info.takeErrors();
      expect(errors.join('\n')).toMatch(/nonsense/);
      expect(await backend.info.takeErrors()).toEqual([]);
    });

    it('gives free buffers back', async () => {
      const kept = tf.ones([1000]);
      for (let n = 1; n <= 20; n++) tf.dispose(tf.tidy(() => tf.add(tf.ones([1000 * n + 1]), 1)));
      await backend.info.takeErrors(); // Waits, so that every buffer is free by now.
      const before = webgpuMemory();
      const freed = trimBufferPool();
      const after = webgpuMemory();
      expect(freed).toBeGreaterThan(20 * 1000 * 4);
      expect(after).toEqual({ bytesInUse: before.bytesInUse, bytesAllocated: before.bytesAllocated - freed });
      expect(after.bytesAllocated).toBe(after.bytesInUse);
      await expectClose(tf.add(kept, 1), tf.fill([1000], 2));
    });
  },
  { backends: ['webgpu'] },
);

describeOnBackends(
  'runWebGPUProgram elsewhere',
  () => {
    it('is refused', () => {
      expect(() => runWebGPUProgram(rowSums(1), [tf.zeros([1, 1])])).toThrow(BackendError);
      expect(() => webgpuMemory()).toThrow(/'cpu' is in use/);
    });
  },
  { backends: ['cpu'] },
);
