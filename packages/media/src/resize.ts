import { ImageError } from './errors.ts';
import { type ResizeFilter, WINDOW_FILTERS } from './filters.ts';
import { checkImage, checkPixelCount, checkSide, type NewImage, type PixelImage } from './image.ts';
import { nearestPositions, resampleColumns, resampleRows, windows } from './resample.ts';

export interface ResizeOptions {
  /** Width of the result in pixels. */
  readonly width: number;
  /** Height of the result in pixels. */
  readonly height: number;
  /** Default 'bicubic'. */
  readonly filter?: ResizeFilter;
}

/**
 * Resizes an image to the exact bytes that Pillow's `Image.resize` gives.
 *
 * Two passes, rows then columns, each a weighted sum per output pixel in 22-bit fixed point, rounded to 8 bits; windows
 * widen when shrinking (antialiasing). Models evaluated with PyTorch pipelines saw such pixels; the resizing of a canvas
 * or of TensorFlow.js differs from it by whole grey levels. A pass that would not change the size is left out.
 *
 * Channels are resized independently, as Pillow does for L, RGB and RGBX images. (For RGBA it multiplies by alpha first;
 * drop alpha with toRgb, or do the same, to match it.)
 *
 * @returns a new image; the given one is not changed
 * @throws ImageError InvalidImage, InvalidOption, TooLarge
 */
export function resize(image: PixelImage, options: ResizeOptions): NewImage {
  checkImage(image);
  const { width, height, filter = 'bicubic' } = options;
  checkSide('width', width, 'InvalidOption');
  checkSide('height', height, 'InvalidOption');
  checkPixelCount('the resized image', width, height);
  checkFilter(filter);
  if (filter === 'nearest') return resizeNearest(image, width, height);
  const window = WINDOW_FILTERS[filter];
  const { channels } = image;
  let data: Uint8Array | undefined;
  if (width !== image.width) {
    checkPixelCount('the image between the two passes', width, image.height);
    data = resampleRows(image.data, image.width, image.height, channels, windows(image.width, width, window));
  }
  if (height !== image.height) {
    data = resampleColumns(data ?? image.data, width * channels, windows(image.height, height, window));
  }
  return { data: data ?? Uint8Array.from(image.data), width, height, channels };
}

/** @throws ImageError InvalidOption */
export function checkFilter(filter: ResizeFilter): void {
  if (filter === 'nearest' || Object.hasOwn(WINDOW_FILTERS, filter)) return;
  const known = ['nearest', ...Object.keys(WINDOW_FILTERS)].join(', ');
  throw new ImageError('InvalidOption', `filter must be one of ${known}, got ${JSON.stringify(filter)}.`);
}

function resizeNearest(image: PixelImage, width: number, height: number): NewImage {
  const { data, channels } = image;
  const columns = nearestPositions(image.width, width);
  const rows = nearestPositions(image.height, height);
  const out = new Uint8Array(width * height * channels);
  let to = 0;
  for (const y of rows) {
    for (const x of columns) {
      const from = (y * image.width + x) * channels;
      for (let c = 0; c < channels; c++) out[to++] = data[from + c]!;
    }
  }
  return { data: out, width, height, channels };
}
