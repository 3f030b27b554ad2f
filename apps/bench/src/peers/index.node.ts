import type { SuitePlace } from '../core/comparison.ts';
import { jaxPeer } from './jax.ts';
import { onnxruntimeNodeAllCores, onnxruntimeNodeSingle } from './onnxruntimeNode.node.ts';
import { onnxruntimeWebGpu, onnxruntimeWebWasm } from './onnxruntimeWeb.ts';
import { torchAllCores, torchSingle } from './torch.node.ts';
import { transformersPeer } from './transformers.node.ts';
import { type DetectedPeers, findAll } from './versionedPeer.ts';

/** The peers that Node may have. */
export function detectPeers(place: SuitePlace): Promise<DetectedPeers> {
  return findAll(place, [
    onnxruntimeNodeSingle,
    onnxruntimeNodeAllCores,
    onnxruntimeWebWasm,
    onnxruntimeWebGpu,
    torchSingle,
    torchAllCores,
    jaxPeer,
    transformersPeer,
  ]);
}
