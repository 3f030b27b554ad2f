import { describeOnBackends } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { SaccadeError } from '../errors.ts';
import { webgpuDevice } from '../webgpu/backend.ts';
import { peakMemory } from './peakMemory.ts';
import { finish } from './settle.ts';

const count = 1000;
const bytes = 4 * count;

/** Numbers that lie on the device: tfjs moves them when a kernel first asks for them. */
async function resident(): Promise<tf.Tensor> {
  const x = tf.linspace(0, 1, count);
  tf.neg(x).dispose();
  await finish();
  return x;
}

/** Two arrays at once, then one, then two: never three. */
async function chain(x: tf.Tensor): Promise<void> {
  const a = tf.square(x);
  const b = tf.square(a);
  a.dispose();
  await finish();
  const c = tf.square(b);
  tf.dispose([b, c]);
  await finish();
}

describeOnBackends('peakMemory', (backend) => {
  it('counts the most bytes of tensors at once', async () => {
    const x = await resident();
    expect((await peakMemory(() => chain(x))).tensorBytes).toBe(2 * bytes);
    x.dispose();
  });

  it('counts what shares its numbers once, by type, and no string', async () => {
    const x = await resident();
    const { tensorBytes } = await peakMemory(() => {
      const y = tf.square(x);
      tf.dispose([y, tf.reshape(y, [10, 100]), tf.tensor1d(['some', 'text']), tf.zeros([8], 'bool')]);
    });
    expect(tensorBytes).toBe(bytes + 8);
    x.dispose();
  });

  it('subtracts what was there before and goes', async () => {
    const x = await resident();
    const { tensorBytes, deviceBytes = 0 } = await peakMemory(() => {
      x.dispose();
      tf.dispose(tf.zeros([count / 2]));
    });
    expect(tensorBytes).toBe(0);
    // On webgpu the buffer of x goes to the pool, and zeros are made where they are first used.
    expect(deviceBytes).toBe(0);
  });

  it('counts across every await', async () => {
    const x = await resident();
    const { tensorBytes } = await peakMemory(async () => {
      const a = tf.square(x);
      await a.data();
      await new Promise((resolve) => setTimeout(resolve, 5));
      const b = tf.square(x);
      await b.data();
      tf.dispose([a, b]);
    });
    expect(tensorBytes).toBe(2 * bytes);
    x.dispose();
  });

  it('takes what it watched with off again, also when the action throws', async () => {
    const owners = [tf.engine().state.tensorInfo, ...watched(backend.name)];
    const members = () => owners.map((owner) => Reflect.ownKeys(owner));
    const before = members();
    const x = await resident();
    await peakMemory(() => {
      expect(members()).not.toEqual(before);
      tf.square(x).dispose();
    });
    expect(members()).toEqual(before);
    const failing = peakMemory(() => {
      throw new RangeError('as asked');
    });
    await expect(failing).rejects.toThrow('as asked');
    expect(members()).toEqual(before);
    x.dispose();
  });

  it('refuses to watch two actions at once', async () => {
    await peakMemory(async () => {
      await expect(peakMemory(() => {})).rejects.toThrow(SaccadeError);
    });
    expect(await peakMemory(() => {})).toMatchObject({ tensorBytes: 0 });
  });
});

/** Objects of the backend whose members are replaced. */
function watched(name: string): object[] {
  if (name === 'webgpu') return [webgpuDevice()];
  return name === 'wasm' ? [(tf.backend() as unknown as { dataIdMap: object }).dataIdMap] : [];
}

describeOnBackends(
  'bytes on the device',
  () => {
    it('are results and scratch on the heap, tensors made from numbers included', async () => {
      const x = await resident();
      expect((await peakMemory(() => chain(x))).deviceBytes).toBe(2 * bytes);
      expect(await peakMemory(() => tf.dispose(tf.tensor1d([1, 2, 3])))).toEqual({ tensorBytes: 12, deviceBytes: 12 });
      x.dispose();
    });

    it('are those inside of a kernel too', async () => {
      interface Heap {
        makeOutput(shape: number[], dtype: tf.DataType): tf.TensorInfo;
        disposeData(dataId: object): void;
      }
      tf.registerKernel({
        kernelName: 'TakesScratch',
        backendName: 'wasm',
        kernelFunc: ({ backend }) => {
          const heap = backend as unknown as Heap;
          const scratch = heap.makeOutput([500], 'float32');
          const output = heap.makeOutput([100], 'float32');
          heap.disposeData(scratch.dataId);
          return output;
        },
      });
      const run = () => tf.dispose(tf.engine().runKernel('TakesScratch', {}) as tf.Tensor);
      expect(await peakMemory(run)).toEqual({ tensorBytes: 400, deviceBytes: 2400 });
      tf.unregisterKernel('TakesScratch', 'wasm');
    });
  },
  { backends: ['wasm'] },
);

describeOnBackends(
  'bytes on the device',
  () => {
    it('are buffers, whether the pool would have had them or not', async () => {
      const x = await resident();
      const first = await peakMemory(() => chain(x));
      // Two results, and the sizes that each program is told.
      expect(first.deviceBytes).toBeGreaterThanOrEqual(2 * bytes);
      expect(first.deviceBytes).toBeLessThan(2 * bytes + 512);
      expect(first.largestBinding).toBe(bytes);
      expect(await peakMemory(() => chain(x))).toEqual(first);
      x.dispose();
    });

    it('are those of others too, for as long as they live', async () => {
      const device = webgpuDevice();
      const size = 2 ** 16;
      const make = () => device.createBuffer({ size, usage: GPUBufferUsage.STORAGE });
      const { deviceBytes } = await peakMemory(() => {
        const [a, b] = [make(), make()];
        a.destroy();
        a.destroy();
        b.destroy();
        const c = make();
        c.destroy();
      });
      expect(deviceBytes).toBe(2 * size);
    });

    it('leaves no watch on a buffer that lives on', async () => {
      const device = webgpuDevice();
      let buffer: GPUBuffer | undefined;
      await peakMemory(() => {
        buffer = device.createBuffer({ size: 64, usage: GPUBufferUsage.STORAGE });
        expect(Object.hasOwn(buffer, 'destroy')).toBe(true);
      });
      expect(Object.hasOwn(buffer as GPUBuffer, 'destroy')).toBe(false);
      buffer?.destroy();
    });
  },
  { backends: ['webgpu'] },
);
