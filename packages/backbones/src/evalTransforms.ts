/** Preprocessing for evaluation: options for `evalTransform` of @saccade/media. */
export interface EvalTransformConfig {
  /** side of the square crop, in pixels */
  readonly size: number;
  /** short side of the image before the crop */
  readonly shortSide: number;
  /** interpolation of the resize */
  readonly filter: 'bicubic' | 'bilinear';
  /** of each channel, of values from 0 to 1 */
  readonly mean: readonly [red: number, green: number, blue: number];
  readonly std: readonly [red: number, green: number, blue: number];
}

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** DeiT's: short side 256 for a crop of 224, which other sizes keep (384: 438). */
export const DEIT_TRANSFORM: EvalTransformConfig = { size: 224, shortSide: 256, filter: 'bicubic', ...IMAGENET };

/** torchvision's ResNets of version 1, and TSM's clips, one crop of each frame. */
export const RESNET_TRANSFORM: EvalTransformConfig = { size: 224, shortSide: 256, filter: 'bilinear', ...IMAGENET };

/** UniFormer's for clips: no margin around the crop, one mean and one deviation for all channels. */
export const UNIFORMER_CLIP_TRANSFORM: EvalTransformConfig = {
  size: 224,
  shortSide: 224,
  filter: 'bilinear',
  mean: [0.45, 0.45, 0.45],
  std: [0.225, 0.225, 0.225],
};
