import { FASHION_MNIST_CLASSES, MOTION_TASKS, type MotionTask, motionClasses } from '@saccade/datasets';

/** What networks are trained on: clips of which motion alone tells the class, or the pictures of Fashion-MNIST. */
export const STUDY_TASKS = [...MOTION_TASKS, 'fashion'] as const;
export type StudyTask = (typeof STUDY_TASKS)[number];

/** The tasks of clips, the usual one first. */
export const CLIP_TASKS = ['motion', 'direction', 'speed'] as const satisfies readonly MotionTask[];

export function isMotionTask(task: StudyTask): task is MotionTask {
  return task !== 'fashion';
}

/** Logits of a network for this task. */
export function classCount(task: StudyTask): number {
  return isMotionTask(task) ? motionClasses(task).length : FASHION_MNIST_CLASSES.length;
}
