import type { PixelImage } from '@saccade/media';
import type { ClipSource } from '../clips.ts';
import { createDataset } from '../createDataset.ts';
import type { Dataset, SampleInfo } from '../dataset.ts';
import type { LabelledImages } from '../digits.ts';
import { DatasetError } from '../errors.ts';
import type { ClipSample } from '../video/clipDataset.ts';
import type { ImageSample, ImageTransform } from './imageDataset.ts';

/**
 * Images in memory, such as MNIST and Fashion-MNIST, as a data set of grey images of one channel.
 *
 * @param classes names of the classes
 * @throws DatasetError `labels` for a label without a name
 */
export function labelledImagesDataset<X>(
  images: LabelledImages,
  options: {
    readonly name: string;
    readonly classes: readonly string[];
    readonly transform: ImageTransform<X>;
  },
): Dataset<ImageSample<X>>;
export function labelledImagesDataset(
  images: LabelledImages,
  options: { readonly name: string; readonly classes: readonly string[] },
): Dataset<ImageSample>;
export function labelledImagesDataset<X>(
  { images, labels, width, height }: LabelledImages,
  { name, classes, transform }: { name: string; classes: readonly string[]; transform?: ImageTransform<X> },
): Dataset<ImageSample<X | PixelImage>> {
  const size = width * height;
  const entries = Array.from(labels, (label, i): SampleInfo => ({ id: String(i), path: `${name}/${i}`, label }));
  return createDataset({ name, classes, entries, absent: [] }, async (info, index, { signal, random }) => {
    // A copy: a transform may keep or hand over what it gets.
    const image = { data: images.slice(index * size, (index + 1) * size), width, height, channels: 1 };
    return { ...info, index, image: transform ? await transform(image, { index, info, random, signal }) : image };
  });
}

/**
 * Clips that are made and not read, such as those of {@link MotionDataset}, as a data set: grey frames of one channel.
 *
 * @throws DatasetError `option` if clips are not as the source says
 */
export function clipSourceDataset(source: ClipSource, { name }: { readonly name: string }): Dataset<ClipSample> {
  const [count, height, width] = source.shape;
  const size = height * width;
  const entries = Array.from(
    { length: source.length },
    (_, i): SampleInfo => ({ id: String(i), path: `${name}/${i}`, label: -1 }),
  );
  return createDataset({ name, classes: source.classes, entries, absent: [] }, async (info, index) => {
    const { frames, label } = source.get(index);
    if (frames.length !== count * size) {
      throw new DatasetError({
        code: 'option',
        argument: 'source',
        expected: `clips of ${count} x ${height} x ${width} pixels`,
        actual: `${frames.length} bytes`,
      });
    }
    const numbers = Array.from({ length: count }, (_, t) => t);
    const clip = numbers.map((t) => ({ data: frames.slice(t * size, (t + 1) * size), width, height, channels: 1 }));
    return { ...info, label, index, clip, frames: numbers, length: count, fps: undefined };
  });
}
