import type { Comparison, Suite, SuitePlace } from '../../core/comparison.ts';
import { attentions } from './attentions.ts';
import { clips } from './clips.ts';
import { opComparison } from './comparison.ts';
import { convolutions } from './convolutions.ts';
import { correlations } from './correlations.ts';
import { pointwise } from './pointwise.ts';
import { products } from './products.ts';
import { dynamicGroupsComparison } from './routing.ts';

/** All functions at all sizes. */
const CASES = [products, pointwise, convolutions, attentions, clips, correlations].flat();

/**
 * The functions of `@saccade/tensor-ops` against the operations of TensorFlow.js that they replace, at the sizes of layers of
 * ViT-S, ResNet-50, UniFormer-S and TSM.
 */
export const tensorOpsSuite: Suite = {
  name: 'tensor-ops',
  title: 'Tensor operations',
  homes: ['node', 'browser'],
  backends: ['cpu', 'wasm', 'webgpu', 'webgl'],
  comparisons: listed,
};

/** Everything; or the few of `quick`, where that is asked for, or a processor computes in JavaScript or plays the GPU. */
function listed({ backend, softwareGpu, scale }: SuitePlace): readonly Comparison[] {
  const few = scale === 'quick' || softwareGpu || backend === 'cpu';
  const comparisons = CASES.flatMap((opCase) =>
    (few ? (opCase.quick ?? []) : opCase.directions).map((direction) => opComparison(opCase, direction)),
  );
  return few ? comparisons : [...comparisons, dynamicGroupsComparison];
}
