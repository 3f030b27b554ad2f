import { createVisionTransformer, type VisionTransformerConfig, visionTransformerCost } from '@saccade/backbones';
import { plainAttention } from '@saccade/nn';
import { type StructSAOptions, structSA } from '@saccade/structsa';
import { PICO } from './recipe.ts';
import type { Published, Setting } from './studies.ts';
import { classCount, type StudyTask } from './tasks.ts';

/** One row of the study: the pico network with one thing changed. */
export interface StructSASetting extends Setting {
  readonly network: Pico;
}

/** What differs from {@link PICO}. */
type Pico = Partial<Pick<VisionTransformerConfig, 'mixer' | 'dim' | 'headDim' | 'depth'>>;

/** The setting with which all others are compared: the paper's default. */
export const REFERENCE = 'd4';

const CONV_SA = structSA({ detectors: 1 });

/**
 * All settings; the published rows are DeiT-S with all attention layers replaced (arXiv 2404.03924, section 4.4 and its
 * tables). The reference `d4` is the paper's default: 4 detectors, kernel 3, contextual, channel-wise.
 *
 * The last four are controls. `wide` and `deep` give ConvSA about the MACs of `d4` (103 % and 111 %; one block less would
 * be 90 %), by wider tokens or by more blocks as in the paper's table of matched capacity; `params` gives it the parameters
 * of `d4`; `stride2` is `d4` with a quarter of the K'/V' tokens, which is as many as ConvSA has, at the MACs of ConvSA.
 */
export const SETTINGS: readonly StructSASetting[] = [
  setting('sa', 'plain attention (D = 0)', { mixer: plainAttention() }, { imagenet: 80.5, something: 48.3 }),
  structured('d1', 'ConvSA (D = 1)', { detectors: 1 }, { imagenet: 80.8, something: 49.7 }),
  structured('d2', 'D = 2', { detectors: 2 }, { imagenet: 80.9, something: 50.1 }),
  structured('d4', 'D = 4, the reference', { detectors: 4 }, { imagenet: 81.1, something: 50.4 }),
  structured('d8', 'D = 8', { detectors: 8 }, { imagenet: 81.3, something: 50.6 }),
  structured('kernel1', 'kernel 1', { kernelK: 1, kernelV: 1 }, { imagenet: 80.6, something: 48.5 }),
  structured('kernel5', 'kernel 5', { kernelK: 5, kernelV: 5 }, { imagenet: 81.1, something: 50.5 }),
  structured('element', 'element aggregation', { kernelV: 1 }, { imagenet: 80.9, something: 49.6 }),
  structured('shared-v', 'shared aggregation', { sharedFilters: 'v' }, { imagenet: 81.0, something: 49.9 }),
  structured('shared-kv', 'dot product, shared', { sharedFilters: 'kv' }, { imagenet: 80.7, something: 48.7 }),
  setting('wide', 'ConvSA + channels', { mixer: CONV_SA, dim: 52, headDim: 26 }, { imagenet: 80.9, something: 49.9 }),
  setting('deep', 'ConvSA + layers', { mixer: CONV_SA, depth: 5 }, { imagenet: 81.0, something: 50.1 }),
  setting('params', 'ConvSA + 1 layer', { mixer: CONV_SA, depth: 3 }),
  structured('stride2', 'K/V stride 2', { stride: 2 }),
];

/** The pico network with StructSA; what `options` does not name is the paper's default. */
function structured(id: string, title: string, options: StructSAOptions, published?: Published): StructSASetting {
  return setting(id, title, { mixer: structSA({ detectors: 4, ...options }) }, published);
}

function setting(id: string, title: string, network: Pico, published?: Published): StructSASetting {
  const config = (task: StudyTask, seed = 0): VisionTransformerConfig => ({
    ...PICO,
    ...network,
    numClasses: classCount(task),
    seed,
  });
  return {
    id,
    title,
    network,
    ...(published && { published }),
    create: (task, seed) => createVisionTransformer(config(task, seed)),
    cost: (task) => visionTransformerCost(config(task)),
  };
}
