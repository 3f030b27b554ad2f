import { isSoftwareAdapter, webgpuDevice } from '@saccade/tensor-ops/webgpu';
import { describeOnBackends } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { SuitePlace } from '../core/comparison.ts';
import { openBench } from './openBench.node.ts';

const place = (backend: SuitePlace['backend']): SuitePlace => ({
  home: 'node',
  backend,
  softwareGpu: false,
  scale: 'quick',
});

describeOnBackends('openBench', (backend) => {
  it('describes the backend that it takes into use', async () => {
    const peers = [{ name: 'a peer', prepare: async () => ({ name: 'a peer', reason: 'busy' }), dispose() {} }];
    const absentPeers = [{ name: 'another', reason: 'not installed' }];
    const { bench, device, versions } = await openBench(place(backend.name), { peers, absentPeers });
    expect(tf.getBackend()).toBe(backend.name);
    // What the machine has, whatever the place expected.
    const softwareGpu = backend.info.adapter?.software ?? false;
    expect(bench).toMatchObject({
      home: 'node',
      backend: backend.name,
      softwareGpu,
      scale: 'quick',
      peers,
      absentPeers,
    });
    expect(device).toMatchObject({
      kind: 'device',
      backend: backend.name,
      softwareGpu,
      features: backend.info.features,
    });
    expect(device.description).not.toBe('');
    expect(versions).toMatchObject({
      node: process.versions.node,
      tfjs: tf.version_core,
      [`@tensorflow/tfjs-backend-${backend.name}`]: expect.stringMatching(/^\d+\.\d+\.\d+/),
    });
  });

  it('measures time, processor time and memory', async () => {
    const { bench } = await openBench(place(backend.name));
    const cpu = () => bench.cpu?.() ?? Number.NaN;
    const [began, used] = [bench.now(), cpu()];
    while (cpu() < used + 20 && bench.now() < began + 10_000);
    expect(cpu() - used, 'milliseconds of computing, in ten seconds on a loaded machine').toBeGreaterThanOrEqual(20);
    const x = tf.linspace(0, 1, 1000);
    const peak = await bench.peakOf(async () => {
      const y = tf.square(x);
      await bench.settle();
      y.dispose();
    });
    expect(peak.tensorBytes).toBe(4000);
    if (backend.name === 'cpu') expect(peak).not.toHaveProperty('deviceBytes');
    else expect(peak.deviceBytes).toBeGreaterThanOrEqual(4000);
    x.dispose();
  });

  it('has no GPU time without a GPU', async () => {
    const { bench } = await openBench(place(backend.name));
    const expected = backend.info.adapter?.software === false && backend.info.features.includes('timestamp-query');
    expect(bench.gpuTime !== undefined).toBe(expected);
  });
});

describeOnBackends(
  'the bench of a GPU',
  () => {
    it('throws what the device reports', async () => {
      const { bench } = await openBench(place('webgpu'));
      await bench.settle();
      webgpuDevice().createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
      await expect(bench.settle()).rejects.toThrow(/^the GPU reports 1 errors, the first: .*usage/is);
      await bench.settle();
    });
  },
  { backends: ['webgpu'] },
);

describe('openBench', () => {
  it('refuses a backend that Node does not have', async () => {
    await expect(openBench(place('webgl'))).rejects.toThrow('webgl: Node has none; choose one of cpu, wasm, webgpu');
  });
});

describe('isSoftwareAdapter', () => {
  it.each([
    [{ architecture: 'swiftshader', description: 'SwiftShader driver 5.0.0' }, true],
    [{ architecture: '', description: 'llvmpipe (LLVM 15.0.6, 256 bits)' }, true],
    [{ architecture: 'hopper', description: 'NVIDIA H200' }, false],
    [{ architecture: 'apple-3', description: '', isFallbackAdapter: true }, true],
  ])('%o: %s', (info, software) => {
    expect(isSoftwareAdapter({ vendor: '', isFallbackAdapter: false, ...info } as GPUAdapterInfo)).toBe(software);
  });
});
