import { MediaError, type PixelImage } from '@saccade/media';
import { createDataset, type SampleIndex } from '../createDataset.ts';
import type { Dataset, Sample, SampleInfo } from '../dataset.ts';
import { DatasetError } from '../errors.ts';
import { type ImageDatasetOptions, readImage, type SampleContext } from '../images/imageDataset.ts';
import { IGNORE, type LabelMap, labelMap, type ZeroLabel } from './labelMap.ts';

/** An image with an image of its pixels' classes. */
export interface SegmentationEntry extends SampleInfo {
  /** path of the label image */
  readonly mask: string;
}

/** An image and its label map, or what a transform makes of both. */
export type SegmentationSample<X = ImageWithMask, E extends SegmentationEntry = SegmentationEntry> = Omit<E, 'mask'> &
  Sample &
  X;

/** What a segmentation sample holds without a transform. */
export interface ImageWithMask {
  readonly image: PixelImage;
  readonly mask: LabelMap;
}

/** Options of {@link segmentationDataset}. */
export interface SegmentationOptions extends ImageDatasetOptions {
  /**
   * What 0 in the label image means. `ignore` (default; mmseg's `reduce_zero_label=True`): nothing, it becomes 255 and every other
   * value one less; `class`: the first class.
   */
  readonly zero?: ZeroLabel;
}

/** Makes of an image and its labels what a model takes. Labels may only be resized with the filter `nearest`. */
export type SegmentationTransform<X extends object, E extends SegmentationEntry> = (
  pair: ImageWithMask,
  context: SampleContext<E>,
) => X | Promise<X>;

/**
 * Images with label maps by number.
 *
 * @throws DatasetError `option`; reading throws as {@link Dataset.get} says; a label image of another size, or with a value that is
 *   no class, is a `sample` that cannot be read
 */
export function segmentationDataset<E extends SegmentationEntry, X extends object>(
  index: SampleIndex<E>,
  options: SegmentationOptions & { readonly transform: SegmentationTransform<X, E> },
): Dataset<SegmentationSample<X, E>>;
export function segmentationDataset<E extends SegmentationEntry>(
  index: SampleIndex<E>,
  options: SegmentationOptions,
): Dataset<SegmentationSample<ImageWithMask, E>>;
export function segmentationDataset<E extends SegmentationEntry, X extends object>(
  index: SampleIndex<E>,
  options: SegmentationOptions & { readonly transform?: SegmentationTransform<X, E> },
): Dataset<SegmentationSample<X | ImageWithMask, E>> {
  const { transform, zero = 'ignore' } = options;
  const classes = index.classes.length;
  if (classes >= IGNORE) {
    throw new DatasetError({
      code: 'option',
      argument: 'classes',
      expected: `fewer than ${IGNORE}, so that a label is a byte`,
      actual: String(classes),
    });
  }
  return createDataset(
    index,
    async (info, number, { signal, random }) => {
      const { mask: maskPath, ...rest } = info;
      const image = await readImage(info.path, options, 3, { signal });
      const raw = await readLabels(maskPath, options, signal);
      const mask = labelMap(raw, image, { classes, zero, path: maskPath });
      const pair = { image, mask };
      const content = transform ? await transform(pair, { index: number, info, random, signal }) : pair;
      return { ...rest, index: number, ...content };
    },
    options,
  );
}

/** The decoder reports colours in a label image as the mistake of who asks for labels; here it is the file's. */
async function readLabels(
  path: string,
  options: ImageDatasetOptions,
  signal: AbortSignal | undefined,
): Promise<PixelImage> {
  try {
    return await readImage(path, options, 1, { signal });
  } catch (cause) {
    if (!(cause instanceof MediaError) || cause.code !== 'InvalidArgument') throw cause;
    throw new DatasetError({
      code: 'sample',
      argument: path,
      expected: 'a label image: grey, or with a palette',
      actual: cause.message,
      cause,
    });
  }
}
