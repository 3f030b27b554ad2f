import { reorderFrames } from '../clips.ts';
import { RandomStream } from '../random.ts';
import type { MotionClip } from './MotionDataset.ts';
import { type MotionClass, motionClasses, reversedHeading, reversedLabel } from './tasks.ts';

/**
 * The clip played backwards, with the label of what it now shows ({@link reversedLabel}).
 *
 * A free and exact control: a model that reads motion follows the new label, a model that reads anything else about
 * the frames keeps to the old one.
 */
export function reverse(clip: MotionClip): MotionClip {
  const count = clip.positions.length / 2;
  const order = Array.from({ length: count }, (_, t) => count - 1 - t);
  const label = reversedLabel(clip.task, clip.label);
  const { profile } = motionClasses(clip.task)[label] as MotionClass;
  return { ...reordered(clip, order), label, heading: reversedHeading(clip.heading, profile), profile };
}

/**
 * The clip with its frames in a uniformly random order (the identity is one of them), label kept: what is left can be
 * learnt from the bag of frames alone. See {@link orderBlindCeiling} for the best that any model can do with it.
 *
 * @param seed any safe integer; use the clip's number or another one per clip
 */
export function shuffleFrames(clip: MotionClip, seed: number): MotionClip {
  const random = new RandomStream(seed);
  const order = Array.from({ length: clip.positions.length / 2 }, (_, t) => t);
  for (let last = order.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return reordered(clip, order);
}

function reordered(clip: MotionClip, order: readonly number[]): MotionClip {
  const positions = Float64Array.from(order.flatMap((t) => [clip.positions[2 * t]!, clip.positions[2 * t + 1]!]));
  return { ...clip, frames: reorderFrames(clip.frames, order), positions };
}
