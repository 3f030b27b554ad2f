import { motionSamples } from './clips.ts';
import { fashionSamples } from './pictures.ts';
import type { TaskSamples } from './taskSamples.ts';
import { isMotionTask, type StudyTask } from './tasks.ts';

/**
 * @param directory where the four files of Fashion-MNIST lie, for the task `fashion`
 * @throws what the loaders of `@saccade/datasets` throw for files that are missing or damaged; ConfigError without a
 *   directory where one is needed
 */
export function loadSamples(task: StudyTask, directory?: string): Promise<TaskSamples> {
  return isMotionTask(task) ? motionSamples(task) : fashionSamples(directory);
}
