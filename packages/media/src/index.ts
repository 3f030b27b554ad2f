export {
  type AffineFilter,
  type AffineMatrix,
  type AffineOptions,
  affine,
  rotate,
} from './augment/affine.ts';
export { type Box, type ChangedBox, changedBoxes } from './augment/boxes.ts';
export {
  type Change,
  type ColorChange,
  changedImage,
  changedMask,
  changedSize,
  type GeometricChange,
} from './augment/changes.ts';
export { type ColorJitterOptions, colorJitter } from './augment/color.ts';
export { seededSource } from './augment/draws.ts';
export {
  adjustBrightness,
  adjustContrast,
  adjustSaturation,
  adjustSharpness,
} from './augment/enhance.ts';
export { type Erasure, erased, type RandomErasingOptions, randomErasing } from './augment/erasing.ts';
export {
  type FilterChoice,
  type RandomResizedCropOptions,
  type RandomShortSideOptions,
  type RandomTransform,
  randomCrop,
  randomFlip,
  randomMultiScaleCrop,
  randomResizedCrop,
  randomShortSide,
  sequence,
} from './augment/geometry.ts';
export { adjustHue } from './augment/hue.ts';
export { cutmixBox, type MixingOptions, type Mixture, mixedBatch, mixedLabels, mixing } from './augment/mix.ts';
export { parseRandAugment, type RandAugmentOptions, randAugment } from './augment/randAugment.ts';
export { autoContrast, equalize, invert, posterize, solarize, solarizeAdd } from './augment/tone.ts';
export {
  type ClipTensor,
  type TrainDraw,
  type TrainTransform,
  type TrainTransformOptions,
  trainTransform,
} from './augment/trainTransform.ts';
export {
  type ClipCrop,
  fixedOffsets,
  type MultiScaleOptions,
  multiScaleCrop,
  multiScaleSizes,
  type Size,
  testCrops,
} from './clipCrops.ts';
export { type CropBox, centerCrop, crop, flipHorizontal } from './crop.ts';
export { decodeImage, loadImage } from './decode/browser.ts';
export type { FileBytes } from './decode/bytes.ts';
export type { DecodeImage } from './decode/decodeWith.ts';
export type { LoadImageOptions } from './decode/download.ts';
export type { DecodedImage, DecodeImageOptions, ImageChannels, ImageDecoder } from './decode/options.ts';
export { DecodeError, type DecodeErrorCode, ImageError, type ImageErrorCode, MediaError } from './errors.ts';
export {
  deitShortSide,
  type EvalTransformOptions,
  evalTransform,
  shortSideSize,
} from './evalTransform.ts';
export type { ResizeFilter } from './filters.ts';
export {
  type DenseOptions,
  denseFrames,
  type RandomSource,
  type SegmentMode,
  type SegmentOptions,
  segmentFrames,
} from './frames.ts';
export { MAX_PIXELS, MAX_SIDE, type NewImage, type PixelImage, toRgb } from './image.ts';
export {
  IMAGENET_MEAN,
  IMAGENET_STD,
  type ImageTensor,
  type NormalizeOptions,
  normalize,
} from './normalize.ts';
export { type ResizeOptions, resize } from './resize.ts';
export { roundHalfEven } from './rounding.ts';
export { type SampleFramesOptions, sampleFrames } from './samplers/sampleFrames.ts';
export {
  type StridedOptions,
  stridedFrames,
  type TrimmedOptions,
  trimmedStridedFrames,
} from './samplers/strided.ts';
export { type UniformOptions, uniformFrames } from './samplers/uniform.ts';
export { type ClipView, clipViews, uniformCrop } from './samplers/views.ts';
export { openFrameFiles } from './video/browserFrameFiles.ts';
export type { ColourSpace } from './video/colour.ts';
export type { FrameFilesOptions } from './video/frameFiles.ts';
export { type Frame, type FrameSource, type ReadOptions, readClip, type VideoClip } from './video/frameSource.ts';
export { openVideo } from './video/openVideo.ts';
export type { VideoBytes, VideoInput } from './video/videoBytes.ts';
export { openVideoElement, type VideoElement, type VideoElementOptions } from './video/videoElement.ts';
export { type CollectOptions, collectVideoFrames, type DecodedFrame } from './video/videoFrames.ts';
export type { OpenVideoOptions } from './video/videoOptions.ts';
