import type { PixelImage } from '@saccade/media';
import { DatasetError } from '../errors.ts';

/** The label of pixels that count neither for training nor for figures. */
export const IGNORE = 255;

/** What 0 in a label image means. */
export type ZeroLabel = 'ignore' | 'class';

/** The class of each pixel: an image of one channel, which `resize` with the filter `nearest`, `crop`, ... take as it is. */
export interface LabelMap extends PixelImage {
  /** [height, width], classes from 0, 255 = ignore */
  readonly data: Uint8Array;
  readonly channels: 1;
}

/**
 * Labels out of a label image: with `ignore`, 0 and 255 become 255 and every other value v becomes v - 1; with `class`, values stay.
 *
 * @throws DatasetError `sample` for another size than the image's, or a value that is no class
 */
export function labelMap(
  { data, width, height }: PixelImage,
  image: PixelImage,
  { classes, zero, path }: { classes: number; zero: ZeroLabel; path: string },
): LabelMap {
  if (width !== image.width || height !== image.height) {
    throw unusable(
      path,
      `labels for ${image.width} x ${image.height} pixels, as the image has`,
      `${width} x ${height}`,
    );
  }
  const table = new Int16Array(256).fill(-1);
  const first = zero === 'ignore' ? 1 : 0;
  for (let label = 0; label < classes; label++) table[first + label] = label;
  table[IGNORE] = IGNORE;
  if (zero === 'ignore') table[0] = IGNORE;

  const labels = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const label = table[data[i] as number] as number;
    if (label < 0) {
      const last = first + classes - 1;
      throw unusable(
        path,
        `values from 0 to ${last}, or ${IGNORE}`,
        `${data[i]} at pixel ${i % width}, ${Math.floor(i / width)}`,
      );
    }
    labels[i] = label;
  }
  return { data: labels, width, height, channels: 1 };
}

function unusable(path: string, expected: string, actual: string): DatasetError {
  return new DatasetError({ code: 'sample', argument: path, expected, actual });
}
