export { type Ade20kEntry, type Ade20kOptions, indexAde20k } from './adapters/ade20k.ts';
export { type Diving48Options, indexDiving48 } from './adapters/diving48.ts';
export { type EgteaEntry, type EgteaOptions, indexEgtea } from './adapters/egtea.ts';
export { IMAGE_EXTENSIONS, type ImageFolderOptions, indexImageFolder } from './adapters/imageFolder.ts';
export { indexKinetics, type KineticsOptions } from './adapters/kinetics.ts';
export { checkPresence, type PresenceOptions } from './adapters/presence.ts';
export {
  type FrameListIndexOptions,
  indexFrameList,
  indexVideoList,
  type VideoListFormat,
  type VideoListOptions,
} from './adapters/videoList.ts';
export { type Clip, type ClipBatch, type ClipSource, mapClips, readBatch, reorderFrames } from './clips.ts';
export { type CocoDatasetOptions, type CocoSample, cocoDataset } from './coco/cocoDataset.ts';
export {
  type CocoCategory,
  type CocoCounts,
  type CocoEntry,
  type CocoIndex,
  type CocoOptions,
  indexCoco,
} from './coco/indexCoco.ts';
export type { CocoBox, CocoObject } from './coco/objects.ts';
export { type Polygons, parsePolygons, polygonMask } from './coco/polygons.ts';
export { compressRle, decodeRle, encodeRle, type Mask, parseRle, type Rle, rleArea } from './coco/rle.ts';
export { createDataset, type FailurePolicy, type SampleIndex } from './createDataset.ts';
export type { Dataset, GetOptions, Sample, SampleInfo } from './dataset.ts';
export { countDigits, type DigitSet, type LabelledImages, readLabelledImages } from './digits.ts';
export { DatasetError, type DatasetErrorCode, type DatasetProblem } from './errors.ts';
export { type Failure, FailureReport, type OnError, readingSample } from './failures.ts';
export { blobFiles } from './files/blobFiles.ts';
export type { FileStat, Files, FolderEntry, OpenedFile, ReadOptions } from './files/files.ts';
export { type FineGymOptions, indexFineGym } from './finegym/indexFineGym.ts';
export { type FrameListEntry, type FrameListOptions, parseFrameList } from './frameLists.ts';
export { type IdxArray, type ReadIdxOptions, readIdx } from './idx.ts';
export { FASHION_MNIST_CLASSES, type IdxSetOptions, readIdxSet } from './idxSet.ts';
export { type ImageNetLayout, type ImageNetOptions, indexImageNet } from './imagenet/indexImageNet.ts';
export { readSynsets, type Synset, type SynsetSource } from './imagenet/synsets.ts';
export {
  type ImageDatasetOptions,
  type ImageSample,
  type ImageTransform,
  imageDataset,
  type SampleContext,
} from './images/imageDataset.ts';
export { clipSourceDataset, labelledImagesDataset } from './images/inMemory.ts';
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
export { type InBatchesOptions, inBatches, type MapAheadOptions, mapAhead } from './loader/streams.ts';
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
export { IGNORE, type LabelMap, type ZeroLabel } from './segmentation/labelMap.ts';
export {
  type ImageWithMask,
  type SegmentationEntry,
  type SegmentationOptions,
  type SegmentationSample,
  type SegmentationTransform,
  segmentationDataset,
} from './segmentation/segmentationDataset.ts';
export { type FramePathsOptions, indexFramePaths } from './something/indexFramePaths.ts';
export { indexSomethingV1, type SomethingV1Options } from './something/indexV1.ts';
export { indexSomethingV2, type SomethingV2Options } from './something/indexV2.ts';
export { mirroredLabels, mirroredSomethingLabel } from './something/mirror.ts';
export {
  type ClipDatasetOptions,
  type ClipSample,
  type ClipTransform,
  clipDataset,
  type FrameSampler,
  type OpenedClipSample,
  openedClipDataset,
  type SamplerContext,
} from './video/clipDataset.ts';
export type { ClipEntry, ClipSpan, FrameFiles, NumberedFrames } from './video/clipEntry.ts';
export { type ClipAccess, type ClipReader, type OpenVideo, openClip } from './video/clipReader.ts';
export { type ViewedClip, withViews } from './video/views.ts';
export { type ExpandOptions, expandShards } from './webdataset/braces.ts';
export type { HttpShardOptions } from './webdataset/fetchChunks.ts';
export { readWebInfo, type WebSplit } from './webdataset/info.ts';
export { type ReadTarOptions, readTar, type TarMember } from './webdataset/readTar.ts';
export { type GroupOptions, groupSamples, type WebSample } from './webdataset/samples.ts';
export { blobShard, fileShard, httpShard, type Shard } from './webdataset/shards.ts';
export { type ShardFault, WebDataset, type WebDatasetOptions } from './webdataset/WebDataset.ts';
