import { createVisionTransformer, deitConfig, visionTransformerCost } from '@saccade/backbones';
import type { Comparison, SuitePlace } from '../../core/comparison.ts';
import { clipFamilies, imageFamilies, picoFamilies, stepFamilies } from './families.ts';
import { familyComparison } from './familyComparison.ts';
import { catalogued, type Network } from './network.ts';
import { peersComparison } from './peersComparison.ts';
import { stockDeit, stockResNet } from './stockNetworks.ts';

/**
 * What is measured where. Each network stands beside the plain one of its family and size, its baseline, and beside few
 * enough others that all of them fit into memory; sizes are compared within one family.
 *
 * A software driver is no GPU: there only the smallest networks run, to see that they do, and only in full runs.
 */
export function planOf({ scale, softwareGpu, backend }: SuitePlace): readonly Comparison[] {
  if (softwareGpu) return scale === 'quick' ? [] : picoFamilies().slice(0, 1).map(familyComparison);
  if (scale === 'quick') return [smallVit(), ...picoFamilies().map(familyComparison)];
  const onProcessor = backend === 'wasm' || backend === 'cpu';
  return [
    peersComparison({ id: 'peers/vit-s', model: 'deit_s', network: catalogued('deit_s'), stock: stockDeit }),
    peersComparison({ id: 'peers/resnet50', model: 'resnet50', network: catalogued('resnet50'), stock: stockResNet }),
    ...[...imageFamilies(), ...clipFamilies(onProcessor), ...stepFamilies(onProcessor)].map(familyComparison),
  ];
}

/** DeiT-Ti for half of the pixels: the largest vision transformer of which 20 runs of everybody fit into a quick run. */
function smallVit(): Comparison {
  const input = [160, 160] as const;
  const config = { ...deitConfig('ti'), inputSize: input };
  const network: Network = {
    name: 'deit_ti',
    input,
    cost: visionTransformerCost(config, input),
    classes: 1000,
    build: () => createVisionTransformer(config),
  };
  return peersComparison({ id: 'peers/vit-ti-160', model: 'deit_ti', network, stock: stockDeit });
}
