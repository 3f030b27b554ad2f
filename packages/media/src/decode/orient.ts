import type { NewImage } from '../image.ts';
import type { Orientation } from './exif.ts';

/**
 * For each orientation, where the pixel (x, y) of the upright image lies in the stored one: from the left or the right
 * edge, from the top or the bottom, and whether x and y change places.
 */
const STEPS: Readonly<
  Record<Orientation, { readonly right: boolean; readonly bottom: boolean; readonly swap: boolean }>
> = {
  1: { right: false, bottom: false, swap: false },
  2: { right: true, bottom: false, swap: false },
  3: { right: true, bottom: true, swap: false },
  4: { right: false, bottom: true, swap: false },
  5: { right: false, bottom: false, swap: true },
  6: { right: false, bottom: true, swap: true },
  7: { right: true, bottom: true, swap: true },
  8: { right: true, bottom: false, swap: true },
};

/** The image turned and mirrored so that it stands upright; itself if it does already. */
export function orient<I extends NewImage>(image: I, orientation: Orientation): I {
  if (orientation === 1) return image;
  const { right, bottom, swap } = STEPS[orientation];
  const { data: from, channels } = image;
  const width = swap ? image.height : image.width;
  const height = swap ? image.width : image.height;
  const acrossStored = channels * (right ? -1 : 1);
  const downStored = channels * image.width * (bottom ? -1 : 1);
  const first = channels * ((right ? image.width - 1 : 0) + (bottom ? image.height - 1 : 0) * image.width);
  const [across, down] = swap ? [downStored, acrossStored] : [acrossStored, downStored];
  const data = new Uint8Array(from.length);
  let to = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0, at = first + y * down; x < width; x++, at += across) {
      for (let c = 0; c < channels; c++) data[to++] = from[at + c]!;
    }
  }
  return { ...image, data, width, height };
}
