import { readFileSync } from 'node:fs';
import { describeOnBackends, expectClose, softwareVulkan } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { BackendError, type BackendName, setupBackend } from './index.ts';
import { optionalPackage } from './optionalPackage.ts';

describeOnBackends('setupBackend', (backend) => {
  it('sets up once, and goes back to what is set up', async () => {
    const again = await setupBackend(backend.name, { softwareDriver: softwareVulkan });
    expect(again).toBe(backend.info);
    const x = tf.tensor1d([1, 2, 3]);
    await setupBackend(backend.name === 'cpu' ? 'wasm' : 'cpu');
    await setupBackend(backend.name);
    await expectClose(tf.square(x), [1, 4, 9]);
  });

  it('starts afresh after dispose', async () => {
    backend.info.dispose();
    backend.info.dispose(); // The second has nothing to do.
    const fresh = await setupBackend(backend.name, { softwareDriver: softwareVulkan });
    expect(fresh).not.toBe(backend.info);
    await expectClose(tf.matMul([[1, 2]], [[3], [4]]), [11]);
    expect(await fresh.takeErrors()).toEqual([]);
    fresh.dispose();
  });
});

describe('setupBackend', () => {
  it('leaves the listeners of the process as they were', async () => {
    const listeners = () => [...process.listeners('uncaughtException'), ...process.listeners('unhandledRejection')];
    const before = listeners();
    const info = await setupBackend('wasm');
    expect(listeners()).toEqual(before);
    info.dispose();
  });

  it('says what the software adapter is, and lets small tensors run on it too', async () => {
    const info = await setupBackend('webgpu', { softwareDriver: softwareVulkan });
    expect(info.adapter?.description).toBeTruthy();
    expect(info.features).toContain('timestamp-query');
    expect(tf.env().getBool('WEBGPU_CPU_FORWARD')).toBe(false);
    info.dispose();
  }, 60_000);

  it('does not spin while a read waits', async () => {
    const info = await setupBackend('webgpu', { softwareDriver: softwareVulkan });
    const a = tf.ones([448, 448]);
    await tf.sum(tf.matMul(a, a)).data(); // Compiles.
    const product = tf.matMul(a, a);
    const before = mainThreadMilliseconds();
    const start = performance.now();
    await product.data();
    const wall = performance.now() - start;
    // The GPU's work is done by threads of the driver. Stock tfjs spends a third of the wait and more on the main thread.
    if (info.adapter?.software) expect(wall, 'long enough to tell').toBeGreaterThan(100);
    expect(mainThreadMilliseconds() - before).toBeLessThan(0.15 * wall + 20);
    info.dispose();
  });

  it('does not make short reads wait', async () => {
    const info = await setupBackend('webgpu', { softwareDriver: softwareVulkan });
    await tf.add(tf.ones([4]), 1).data(); // Compiles.
    const start = performance.now();
    for (let i = 0; i < 50; i++) await tf.add(tf.ones([4]), i).data();
    expect(performance.now() - start, 'milliseconds for 50 reads').toBeLessThan(1000);
    info.dispose();
  });

  it('prints no banner on cpu', async () => {
    const print = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const info = await setupBackend('cpu');
    tf.dispose(tf.square(tf.scalar(2)));
    expect(print).not.toHaveBeenCalled();
    print.mockRestore();
    info.dispose();
  });

  it('refuses an unknown name', async () => {
    await expect(setupBackend('webgl' as BackendName)).rejects.toThrow(
      /no such backend; choose one of cpu, wasm, webgpu/,
    );
  });

  it('names the package that is missing and how to install it', async () => {
    const missing = optionalPackage('wasm', '@saccade/is-not-there', async () => ({}));
    await expect(missing).rejects.toThrow(BackendError);
    await expect(missing).rejects.toThrow(/npm install @saccade\/is-not-there/);
  });
});

/** Processor time of the main thread so far, other threads not counted. Linux only, like the software driver. */
function mainThreadMilliseconds(): number {
  const stat = readFileSync(`/proc/${process.pid}/task/${process.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]); // utime and stime, in hundredths of a second
  return ticks * 10;
}
