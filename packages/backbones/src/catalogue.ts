import { ConfigError } from '@saccade/tensor-ops';
import { nearNames } from '@saccade/weights';
import { CHECKPOINTS, type Checkpoint } from './checkpoints.ts';
import { namePattern } from './namePattern.ts';

/** The public files of weights that are known, whose names fit: `*` in the pattern stands for anything. */
export function listCheckpoints(pattern = '*'): Checkpoint[] {
  const fits = namePattern(pattern);
  return CHECKPOINTS.filter(({ name }) => fits(name));
}

/**
 * A public file of weights by its name, `uniformer_s_video.k600`, or the first one of a model, `uniformer_s_video`.
 *
 * @throws ConfigError for an unknown name, with those that are near
 */
export function checkpoint(name: string): Checkpoint {
  const found = CHECKPOINTS.find((entry) => entry.name === name) ?? CHECKPOINTS.find(({ model }) => model === name);
  if (found) return found;
  const near = nearNames(
    name,
    CHECKPOINTS.map((entry) => entry.name),
    4,
  );
  const hint = near.length > 0 ? `Near: ${near.join(', ')}.` : 'listCheckpoints() has them all.';
  throw new ConfigError('name', 'a checkpoint of listCheckpoints(), or a model that has one', name, hint);
}
