export { type Clip, type ClipBatch, type ClipSource, mapClips, readBatch, reorderFrames } from './clips.ts';
export { countDigits, type DigitSet, type LabelledImages, readLabelledImages } from './digits.ts';
export { DatasetError, type DatasetErrorCode, type DatasetProblem } from './errors.ts';
export { type FrameListEntry, type FrameListOptions, parseFrameList } from './frameLists.ts';
export { type IdxArray, type ReadIdxOptions, readIdx } from './idx.ts';
export { reverse, shuffleFrames } from './motion/controls.ts';
export { type MotionClip, MotionDataset } from './motion/MotionDataset.ts';
export { type MotionOptions, type Range, type ResolvedMotionOptions, SPLITS, type Split } from './motion/options.ts';
export {
  HEADINGS,
  type Heading,
  MOTION_TASKS,
  type MotionClass,
  type MotionTask,
  motionClasses,
  orderBlindCeiling,
  PROFILES,
  type Profile,
  reversedLabel,
} from './motion/tasks.ts';
export { mirroredSomethingLabel } from './something.ts';
