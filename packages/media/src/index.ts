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
export { ImageError, type ImageErrorCode } from './errors.ts';
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
