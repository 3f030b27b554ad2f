import { aia } from '@saccade/aia';
import { createResNetVideo, picoTsmConfig, type ResNetVideoConfig, resnetVideoCost } from '@saccade/backbones';
import { type FeatureGateSpec, squeezeExcitation } from '@saccade/nn';
import type { Setting, Study } from './studies.ts';
import { CLIP_TASKS, classCount, type StudyTask } from './tasks.ts';

/** Clips of the motion tasks. */
const CLIP = [8, 32, 32] as const;

/**
 * What Attention-in-Attention adds to a TSM-ResNet, beside the plain network and beside squeeze and excitation, whose gates
 * know one frame only. The published accuracies are of other networks and data, without a plain row to subtract, so there
 * is nothing of the paper's to put beside the differences.
 */
export const AIA_STUDY: Study = {
  id: 'aia',
  tasks: CLIP_TASKS,
  settings: [
    setting('none', 'TSM-ResNet alone'),
    setting('se', 'squeeze and excitation', squeezeExcitation({ reduction: 4 })),
    setting('cinst', 'CinST', aia({ variant: 'CinST' })),
    setting('stinc', 'STinC', aia({ variant: 'STinC' })),
  ],
  reference: 'none',
  referenceTitle: 'no gate',
  questions: [
    { factor: 'CinST', from: 'none', to: 'cinst' },
    { factor: 'STinC', from: 'none', to: 'stinc' },
    { factor: 'squeeze and excitation', from: 'none', to: 'se' },
    { factor: 'CinST instead of it', from: 'se', to: 'cinst' },
    { factor: 'STinC instead of it', from: 'se', to: 'stinc' },
    { factor: 'STinC instead of CinST', from: 'cinst', to: 'stinc' },
  ],
  network: picoTsmConfig(),
};

function setting(id: string, title: string, gate?: FeatureGateSpec): Setting {
  const config = (task: StudyTask, seed = 0): ResNetVideoConfig => ({
    ...picoTsmConfig(gate ? { gate } : {}),
    numClasses: classCount(task),
    seed,
  });
  return {
    id,
    title,
    create: (task, seed) => createResNetVideo(config(task, seed)),
    cost: (task) => resnetVideoCost(config(task), CLIP),
  };
}
