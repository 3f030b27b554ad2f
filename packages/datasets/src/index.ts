export { type Clip, type ClipBatch, type ClipSource, mapClips, readBatch, reorderFrames } from './clips.ts';
export { createDataset, type FailurePolicy, type SampleIndex } from './createDataset.ts';
export type { Dataset, GetOptions, Sample, SampleInfo } from './dataset.ts';
export { countDigits, type DigitSet, type LabelledImages, readLabelledImages } from './digits.ts';
export { DatasetError, type DatasetErrorCode, type DatasetProblem } from './errors.ts';
export { type Failure, FailureReport, type OnError, readingSample } from './failures.ts';
export { blobFiles } from './files/blobFiles.ts';
export type { FileStat, Files, FolderEntry, OpenedFile, ReadOptions } from './files/files.ts';
export { type FrameListEntry, type FrameListOptions, parseFrameList } from './frameLists.ts';
export { type IdxArray, type ReadIdxOptions, readIdx } from './idx.ts';
export type { LoaderCursor } from './loader/cursor.ts';
export {
  type AtOptions,
  type BatchesOptions,
  DataLoader,
  type LoadedBatch,
  type LoaderOptions,
} from './loader/DataLoader.ts';
export { type OrderOptions, SampleOrder, UNEVEN, type Uneven } from './loader/order.ts';
export {
  type BatchableDataset,
  type BatchReader,
  type BatchRequest,
  type ReaderOptions,
  type Reading,
  readerOf,
  type SampleFailure,
} from './loader/reading.ts';
export { type ArrayBatch, type Example, stackExamples } from './loader/stack.ts';
export type { LoaderStatistics } from './loader/statistics.ts';
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
export { mirroredSomethingLabel } from './something/mirror.ts';
