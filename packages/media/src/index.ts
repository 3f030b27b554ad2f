export { centerCrop } from './crop.ts';
export { ImageError, type ImageErrorCode } from './errors.ts';
export {
  deitShortSide,
  type EvalTransformOptions,
  evalTransform,
  IMAGENET_MEAN,
  IMAGENET_STD,
  type ImageTensor,
  shortSideSize,
} from './evalTransform.ts';
export type { ResizeFilter } from './filters.ts';
export { MAX_PIXELS, MAX_SIDE, type NewImage, type PixelImage, toRgb } from './image.ts';
export { type ResizeOptions, resize } from './resize.ts';
export { roundHalfEven } from './rounding.ts';
