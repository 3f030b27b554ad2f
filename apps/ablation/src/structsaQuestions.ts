import type { Question } from './studies.ts';

/** The paper's ablations as steps from the lesser setting to the one it recommends, and the controls. */
export const QUESTIONS: readonly Question[] = [
  { factor: 'convolved keys and values', from: 'sa', to: 'd1' },
  { factor: 'detectors', from: 'd1', to: 'd2' },
  { factor: 'detectors', from: 'd2', to: 'd4' },
  { factor: 'detectors', from: 'd4', to: 'd8' },
  { factor: 'detectors', from: 'd1', to: 'd4' },
  { factor: 'all of StructSA', from: 'sa', to: 'd4' },
  { factor: 'kernel', from: 'kernel1', to: 'd4' },
  { factor: 'kernel', from: 'd4', to: 'kernel5' },
  { factor: 'contextual aggregation', from: 'element', to: 'd4' },
  { factor: 'channel-wise correlation', from: 'shared-kv', to: 'shared-v' },
  { factor: 'channel-wise aggregation', from: 'shared-v', to: 'd4' },
  { factor: 'channel-wise, both', from: 'shared-kv', to: 'd4' },
  { factor: 'matched MACs, channels', from: 'wide', to: 'd4' },
  { factor: 'matched MACs, layers', from: 'deep', to: 'd4' },
  { factor: 'matched parameters', from: 'params', to: 'd4' },
  // The paper has no DeiT with strides: StructViT-S-4-2 against S-4-1.
  { factor: "number of K'/V' tokens", from: 'stride2', to: 'd4', published: { imagenet: 0.3, something: 0.4 } },
  { factor: "same number of K'/V' tokens", from: 'd1', to: 'stride2' },
];
