import { PICO } from './recipe.ts';
import { QUESTIONS } from './structsaQuestions.ts';
import { REFERENCE, SETTINGS } from './structsaSettings.ts';
import type { Study } from './studies.ts';
import { CLIP_TASKS } from './tasks.ts';

/** What StructSA's parts are worth, in the steps of the paper's ablations. */
export const STRUCTSA_STUDY: Study = {
  id: 'structsa',
  tasks: CLIP_TASKS,
  settings: SETTINGS,
  reference: REFERENCE,
  referenceTitle: 'D = 4',
  questions: QUESTIONS,
  network: PICO,
};
