import type { DecodeImage, PixelImage, RandomSource } from '@saccade/media';
import { createDataset, type FailurePolicy, type SampleIndex } from '../createDataset.ts';
import type { Dataset, GetOptions, Sample, SampleInfo } from '../dataset.ts';
import { readingSample } from '../failures.ts';
import type { Files } from '../files/files.ts';

/** What a transform or sampler is told of the sample. */
export interface SampleContext<E extends SampleInfo = SampleInfo> {
  readonly index: number;
  readonly info: E;
  readonly random: RandomSource | undefined;
  readonly signal: AbortSignal | undefined;
}

/** An image with its label, and whatever else the annotation says. */
export type ImageSample<X = PixelImage, E extends SampleInfo = SampleInfo> = E & Sample & { readonly image: X };

/** Options of {@link imageDataset}. */
export interface ImageDatasetOptions extends FailurePolicy {
  readonly files: Files;
  /** `decodeImage` of `@saccade/media` (browser) or `@saccade/media/node`; it is asked for three channels */
  readonly decode: DecodeImage;
}

/** Makes of an image what a model takes: `evalTransform({ size: 224 })` of `@saccade/media`, an augmentation, ... */
export type ImageTransform<X, E extends SampleInfo = SampleInfo> = (
  image: PixelImage,
  context: SampleContext<E>,
) => X | Promise<X>;

/**
 * Images by number: an index, files and a decoder.
 *
 * @returns samples whose `image` is the RGB image, or what `transform` makes of it
 * @throws DatasetError `option`, `labels`; reading throws as {@link Dataset.get} says
 * @example
 * const files = await nodeFiles('/data/imagenet');
 * const index = await indexImageNet(files, { layout: 'folders', folder: 'val' });
 * const dataset = imageDataset(index, { files, decode: decodeImage, transform: evalTransform({ size: 224 }) });
 */
export function imageDataset<E extends SampleInfo, X>(
  index: SampleIndex<E>,
  options: ImageDatasetOptions & { readonly transform: ImageTransform<X, E> },
): Dataset<ImageSample<X, E>>;
export function imageDataset<E extends SampleInfo>(
  index: SampleIndex<E>,
  options: ImageDatasetOptions,
): Dataset<ImageSample<PixelImage, E>>;
export function imageDataset<E extends SampleInfo, X>(
  index: SampleIndex<E>,
  options: ImageDatasetOptions & { readonly transform?: ImageTransform<X, E> },
): Dataset<ImageSample<X | PixelImage, E>> {
  const { transform } = options;
  return createDataset(
    index,
    async (info, number, { signal, random }) => {
      const image = await readImage(info.path, options, 3, { signal });
      const context = { index: number, info, random, signal };
      return { ...info, index: number, image: transform ? await transform(image, context) : image };
    },
    options,
  );
}

/**
 * Reads and decodes an image file.
 *
 * @throws DatasetError `missing`, `sample`, `path`
 */
export async function readImage(
  path: string,
  { files, decode }: Pick<ImageDatasetOptions, 'files' | 'decode'>,
  channels: 1 | 3,
  { signal }: Pick<GetOptions, 'signal'>,
): Promise<PixelImage> {
  return readingSample(path, 'an image', signal, async () =>
    decode(await files.read(path, { signal }), { channels, signal }),
  );
}
