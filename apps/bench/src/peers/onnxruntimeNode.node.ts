import { availableParallelism } from 'node:os';
import type { Absent, SuitePlace } from '../core/comparison.ts';
import { absentPackage, onnxPeer } from './onnxPeer.ts';
import type { VersionedPeer } from './versionedPeer.ts';

/** onnxruntime-node in one thread; goes with `wasm`. */
export async function onnxruntimeNodeSingle(place: SuitePlace): Promise<VersionedPeer | Absent | undefined> {
  return await onnxruntimeNode(place, 1);
}

/**
 * onnxruntime-node with all cores; goes with `wasm`, full scale: in short measurements, how the system shares its cores
 * between it and everybody else weighs too much. Undefined where there is only one.
 */
export async function onnxruntimeNodeAllCores(place: SuitePlace): Promise<VersionedPeer | Absent | undefined> {
  const cores = availableParallelism();
  return cores === 1 || place.scale === 'quick' ? undefined : await onnxruntimeNode(place, cores);
}

async function onnxruntimeNode({ backend }: SuitePlace, threads: number): Promise<VersionedPeer | Absent | undefined> {
  if (backend !== 'wasm') return undefined;
  const means = threads === 1 ? '1 thread' : `${threads} threads`;
  const name = `onnxruntime-node, ${means}`;
  try {
    const { env, InferenceSession, Tensor } = await import('onnxruntime-node');
    return onnxPeer({
      name,
      library: ['onnxruntime-node', String(env.versions.node)],
      means,
      runtime: { InferenceSession, Tensor },
      options: {
        executionProviders: ['cpu'],
        graphOptimizationLevel: 'all',
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        // Its threads would go on spinning for a while after a run, and take the processor from whoever has the next turn.
        extra: { session: { force_spinning_stop: '1' } },
      },
    });
  } catch (error) {
    return absentPackage(name, 'onnxruntime-node', error);
  }
}
