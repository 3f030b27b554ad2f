import { ImageError } from './errors.ts';
import { checkImage, checkSide, type NewImage, type PixelImage } from './image.ts';
import { roundHalfEven } from './rounding.ts';

/**
 * Cuts the middle out of an image, as torchvision's CenterCrop does: the offset is (side - size) / 2, and a half pixel
 * goes to the even offset.
 *
 * @param size side of the square, or width and height, in pixels; at most the image's
 * @returns a new image
 * @throws ImageError InvalidImage, InvalidOption
 */
export function centerCrop(image: PixelImage, size: number | { width: number; height: number }): NewImage {
  checkImage(image);
  const { width, height } = typeof size === 'object' ? size : { width: size, height: size };
  checkSide('crop width', width, 'InvalidOption');
  checkSide('crop height', height, 'InvalidOption');
  if (width > image.width || height > image.height) {
    throw new ImageError(
      'InvalidOption',
      `a crop of ${width} x ${height} does not fit into an image of ${image.width} x ${image.height} pixels. ` +
        'Resize the image first, or crop less.',
    );
  }
  const left = roundHalfEven((image.width - width) / 2);
  const top = roundHalfEven((image.height - height) / 2);
  return crop(image, { left, top, width, height });
}

/** A rectangle of an image, in pixels from its left upper corner. */
export interface CropBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Cuts a rectangle out of an image.
 *
 * @returns a new image
 * @throws ImageError InvalidImage; InvalidOption if the rectangle is empty or leaves the image
 */
export function crop(image: PixelImage, box: CropBox): NewImage {
  checkImage(image);
  const { left, top, width, height } = box;
  checkSide('crop width', width, 'InvalidOption');
  checkSide('crop height', height, 'InvalidOption');
  const inside =
    Number.isSafeInteger(left) &&
    left >= 0 &&
    left + width <= image.width &&
    Number.isSafeInteger(top) &&
    top >= 0 &&
    top + height <= image.height;
  if (!inside) {
    throw new ImageError(
      'InvalidOption',
      `the crop of ${width} x ${height} at (${left}, ${top}) is not inside of an image of ${image.width} x ${image.height} ` +
        'pixels.',
    );
  }
  const { channels } = image;
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * image.width + left) * channels;
    data.set(image.data.subarray(start, start + width * channels), y * width * channels);
  }
  return { data, width, height, channels };
}

/** Mirrors an image left to right. @returns a new image @throws ImageError InvalidImage */
export function flipHorizontal(image: PixelImage): NewImage {
  checkImage(image);
  const { data: from, width, height, channels } = image;
  const data = new Uint8Array(from.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [source, target] = [(y * width + width - 1 - x) * channels, (y * width + x) * channels];
      for (let c = 0; c < channels; c++) data[target + c] = from[source + c]!;
    }
  }
  return { data, width, height, channels };
}
