import { gpuTime, peakMemory, settle } from '@saccade/tensor-ops/profile';
import * as tf from '@tensorflow/tfjs-core';
import type { Absent, Bench, BenchBackend, Peer } from '../core/comparison.ts';
import type { DeviceLine } from '../core/run.ts';

/** A backend in use, and what is known of it. */
export interface OpenedBench {
  readonly bench: Bench;
  readonly device: Omit<DeviceLine, 'roofline'>;
  /** of what computes: Node or the browser, tfjs, its backend */
  readonly versions: Readonly<Record<string, string>>;
  /** Frees the backend with every tensor on it. Peers belong to who made them. */
  dispose(): void;
}

/** What an opener is told beside the place. */
export interface BenchPeers {
  readonly peers?: readonly Peer[];
  readonly absentPeers?: readonly Absent[];
}

/** What the home knows of the backend in use. */
interface BenchParts extends BenchPeers {
  readonly home: 'node' | 'browser';
  readonly backend: BenchBackend;
  readonly softwareGpu: boolean;
  readonly scale: 'quick' | 'full';
  readonly cpu?: () => number;
}

/** The bench for the backend in use. */
export async function createBench(parts: BenchParts): Promise<Bench> {
  const { home, backend, softwareGpu, scale, cpu, peers = [], absentPeers = [] } = parts;
  // Of a driver on the processor, times of the "GPU" are no other than those of the clock.
  const timestamps = !softwareGpu && (await hasTimestamps());
  return {
    home,
    backend,
    softwareGpu,
    scale,
    peers,
    absentPeers,
    now: () => performance.now(),
    ...(cpu && { cpu }),
    async settle() {
      const errors = await settle();
      if (errors.length > 0) throw new Error(`the GPU reports ${errors.length} errors, the first: ${errors[0]}`);
    },
    async peakOf(action) {
      const { tensorBytes, deviceBytes } = await peakMemory(action);
      return { tensorBytes, ...(deviceBytes !== undefined && { deviceBytes }) };
    },
    ...(timestamps && { gpuTime: timed }),
  };
}

async function hasTimestamps(): Promise<boolean> {
  return (await gpuTime(() => tf.dispose(tf.neg(tf.zeros([1024]))))) !== undefined;
}

async function timed(action: () => void): Promise<number> {
  const milliseconds = await gpuTime(action);
  if (milliseconds === undefined) throw new Error('the GPU gives no timestamps any more');
  return milliseconds;
}
