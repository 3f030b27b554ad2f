import type { SuitePlace } from '../core/comparison.ts';
import { jaxPeer } from './jax.ts';
import { onnxruntimeWebGpu, onnxruntimeWebWasm } from './onnxruntimeWeb.ts';
import { type DetectedPeers, findAll } from './versionedPeer.ts';

/** The peers that a browser may have. */
export function detectPeers(place: SuitePlace): Promise<DetectedPeers> {
  return findAll(place, [onnxruntimeWebWasm, onnxruntimeWebGpu, jaxPeer]);
}
