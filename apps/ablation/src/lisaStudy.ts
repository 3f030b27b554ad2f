import { createVisionTransformer, type VisionTransformerConfig, visionTransformerCost } from '@saccade/backbones';
import { lisa } from '@saccade/lisa';
import { plainAttention } from '@saccade/nn';
import { structSA } from '@saccade/structsa';
import { PICO, PICO_PICTURES } from './recipe.ts';
import type { Question, Setting, Study } from './studies.ts';
import { CLIP_TASKS, classCount, type StudyTask } from './tasks.ts';

/** What differs from the pico network: the operator, and the MLPs, which make up for the parameters of its filters or tables. */
type Pico = Pick<VisionTransformerConfig, 'mixer' | 'mlpRatio'>;

const QUESTIONS: readonly Question[] = [
  { factor: 'LiSA instead of plain attention', from: 'plain', to: 'lisa' },
  { factor: 'LiSA instead of StructSA', from: 'structsa', to: 'lisa' },
  { factor: 'circular instead of zero padding', from: 'lisa', to: 'circular' },
  { factor: 'StructSA instead of plain attention', from: 'plain', to: 'structsa' },
];

const COMMON = { reference: 'plain', referenceTitle: 'plain attention', questions: QUESTIONS } as const;

/** LiSA beside plain attention and StructSA on motion, at the parameters of StructSA's reference within 1 %. */
export const LISA_STUDY: Study = {
  id: 'lisa',
  tasks: CLIP_TASKS,
  settings: [
    setting('plain', 'plain attention', PICO, { mixer: plainAttention(), mlpRatio: 170 / 32 }),
    setting('structsa', 'StructSA, D = 4', PICO, { mixer: structSA({ detectors: 4 }), mlpRatio: 2 }),
    setting('lisa', 'LiSA, D = 5', PICO, { mixer: lisa({ patterns: 5, compute: 'dense' }), mlpRatio: 2 }),
    setting('circular', 'LiSA, circular, D = 8', PICO, {
      mixer: lisa({ patterns: 8, padding: 'circular', compute: 'dense' }),
      mlpRatio: 139 / 32,
    }),
  ],
  ...COMMON,
  network: PICO,
};

/** The same on pictures, at the parameters of LiSA within 1 %. */
export const LISA_PICTURES_STUDY: Study = {
  id: 'lisa-pictures',
  tasks: ['fashion'],
  settings: [
    setting('plain', 'plain attention', PICO_PICTURES, { mixer: plainAttention(), mlpRatio: 147 / 32 }),
    setting('structsa', 'StructSA, D = 4', PICO_PICTURES, { mixer: structSA({ detectors: 4 }), mlpRatio: 112 / 32 }),
    setting('lisa', 'LiSA, D = 8', PICO_PICTURES, { mixer: lisa({ patterns: 8, compute: 'dense' }), mlpRatio: 2 }),
    setting('circular', 'LiSA, circular, D = 8', PICO_PICTURES, {
      mixer: lisa({ patterns: 8, padding: 'circular', compute: 'dense' }),
      mlpRatio: 123 / 32,
    }),
  ],
  ...COMMON,
  network: PICO_PICTURES,
};

function setting(id: string, title: string, network: VisionTransformerConfig, differs: Pico): Setting {
  const config = (task: StudyTask, seed = 0): VisionTransformerConfig => ({
    ...network,
    ...differs,
    numClasses: classCount(task),
    seed,
  });
  return {
    id,
    title,
    create: (task, seed) => createVisionTransformer(config(task, seed)),
    cost: (task) => visionTransformerCost(config(task)),
  };
}
