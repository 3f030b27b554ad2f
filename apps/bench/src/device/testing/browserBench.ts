import { webgpuDevice } from '@saccade/tensor-ops/webgpu';
import * as tf from '@tensorflow/tfjs-core';
import type { PeakMemory, SuitePlace } from '../../core/comparison.ts';
import type { DeviceLine, Roofline } from '../../core/run.ts';
import type { OpenedBench } from '../createBench.ts';
import { openBench } from '../openBench.browser.ts';
import { measureRoofline } from '../roofline/index.ts';

let opened: OpenedBench | undefined;

function current(): OpenedBench {
  if (opened === undefined) throw new Error('open it first');
  return opened;
}

/** Opens a backend; `wasmPaths` is where this page's server has the binaries. */
export async function open(
  backend: SuitePlace['backend'],
  wasmPaths: string,
): Promise<{ device: Omit<DeviceLine, 'roofline'>; versions: Readonly<Record<string, string>>; using: string }> {
  opened = await openBench({ home: 'browser', backend, softwareGpu: false, scale: 'quick' }, { wasmPaths });
  return { device: opened.device, versions: opened.versions, using: tf.getBackend() };
}

/** Twice the square of 1000 numbers: the sum, the most memory, and whether Saccade's kernels are registered. */
export async function compute(): Promise<{
  sum: number;
  peak: PeakMemory;
  ours: boolean;
  gpuMs: number | undefined;
}> {
  const { bench } = current();
  const x = tf.linspace(1, 1, 1000);
  tf.neg(x).dispose();
  await bench.settle();
  const peak = await bench.peakOf(async () => {
    const y = tf.square(x);
    const z = tf.add(y, y);
    await bench.settle();
    tf.dispose([y, z]);
  });
  const sum = tf.tidy(() => tf.sum(tf.add(tf.square(x), tf.square(x))));
  const [value] = await sum.data();
  tf.dispose([x, sum]);
  return {
    sum: value as number,
    peak,
    ours: tf.getKernelsForBackend(bench.backend).some(({ kernelName }) => kernelName.startsWith('Saccade')),
    gpuMs: await bench.gpuTime?.(() => tf.square(tf.ones([64])).dispose()),
  };
}

export async function roofline(): Promise<Roofline | undefined> {
  return measureRoofline(current().bench);
}

/** What settling says after the device was asked for something impossible. */
export async function provokeError(): Promise<string> {
  const { bench } = current();
  await bench.settle();
  webgpuDevice().createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
  try {
    await bench.settle();
    return 'nothing';
  } catch (error) {
    return (error as Error).message;
  }
}

export async function close(): Promise<boolean> {
  const { bench, dispose } = current();
  dispose();
  opened = undefined;
  return !(bench.backend in tf.engine().registry);
}
