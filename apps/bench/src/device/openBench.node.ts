import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { softwareVulkan } from '@saccade/software-vulkan';
import { type BackendInfo, setupBackend } from '@saccade/tensor-ops/node';
import * as tf from '@tensorflow/tfjs-core';
import type { SuitePlace } from '../core/comparison.ts';
import { type BenchPeers, createBench, type OpenedBench } from './createBench.ts';

/**
 * Takes a backend into use in Node. Without a GPU, `webgpu` is SwiftShader, and the bench says so, whatever the place
 * expected.
 *
 * @throws when the backend does not start; for `webgl`, which Node does not have
 */
export async function openBench(place: SuitePlace, peers: BenchPeers = {}): Promise<OpenedBench> {
  const { backend, scale } = place;
  if (backend === 'webgl') throw new Error('webgl: Node has none; choose one of cpu, wasm, webgpu');
  const info = await setupBackend(backend, { softwareDriver: softwareVulkan });
  const softwareGpu = info.adapter?.software ?? false;
  const bench = await createBench({ ...peers, home: 'node', backend, softwareGpu, scale, cpu: processTime });
  return {
    bench,
    device: { kind: 'device', backend, softwareGpu, description: describe(info), features: info.features },
    versions: { node: process.versions.node, tfjs: tf.version_core, ...packageVersions(backend) },
    dispose: () => info.dispose(),
  };
}

/** Milliseconds that all threads of this process have computed, in the kernel too. */
function processTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function describe({ name, adapter, features }: BackendInfo): string {
  if (adapter !== undefined) return adapter.description || `${adapter.vendor} ${adapter.architecture}`.trim();
  const processor = cpus()[0]?.model.trim() || process.arch;
  return `${processor} (${[name, ...features.map((feature) => feature.toUpperCase())].join(', ')})`;
}

const require = createRequire(import.meta.url);

function packageVersions(backend: string): Record<string, string> {
  const names = [`@tensorflow/tfjs-backend-${backend}`, ...(backend === 'webgpu' ? ['webgpu'] : [])];
  return Object.fromEntries(names.map((name) => [name, packageVersion(name)]));
}

function packageVersion(name: string): string {
  const { version } = JSON.parse(readFileSync(require.resolve(`${name}/package.json`), 'utf8')) as { version: string };
  return version;
}
