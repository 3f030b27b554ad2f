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
  const { channels } = image;
  const left = roundHalfEven((image.width - width) / 2);
  const top = roundHalfEven((image.height - height) / 2);
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const start = ((top + y) * image.width + left) * channels;
    data.set(image.data.subarray(start, start + width * channels), y * width * channels);
  }
  return { data, width, height, channels };
}
