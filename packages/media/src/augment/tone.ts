import { ImageError } from '../errors.ts';
import { checkImage, type NewImage, type PixelImage } from '../image.ts';

/** Values that a byte has. */
const LEVELS = 256;

/** Each channel stretched so that its values reach from 0 to 255, as Pillow's `ImageOps.autocontrast`. @returns a new image */
export function autoContrast(image: PixelImage): NewImage {
  return mappedByChannel(image, (histogram) => {
    const low = histogram.findIndex((count) => count > 0);
    const high = histogram.findLastIndex((count) => count > 0);
    if (high <= low) return (value) => value;
    const scale = 255 / (high - low);
    // Pillow multiplies, then adds: other orders round differently.
    const offset = -low * scale;
    return (value) => Math.trunc(value * scale + offset);
  });
}

/** Each channel with its values spread evenly, as Pillow's `ImageOps.equalize`. @returns a new image */
export function equalize(image: PixelImage): NewImage {
  return mappedByChannel(image, (histogram) => {
    const used = histogram.filter((count) => count > 0);
    const total = used.reduce((sum, count) => sum + count, 0);
    const step = Math.floor((total - (used.at(-1) as number)) / 255);
    if (used.length <= 1 || step === 0) return (value) => value;
    const below: number[] = [];
    let sum = Math.floor(step / 2);
    for (const count of histogram) {
      below.push(sum);
      sum += count;
    }
    return (value) => Math.floor(below[value]! / step);
  });
}

/** `255 - value`. @returns a new image */
export function invert(image: PixelImage): NewImage {
  return mapped(image, (value) => 255 - value);
}

/**
 * The highest `bits` bits of each value; the others 0.
 *
 * @returns a new image
 * @throws ImageError InvalidOption unless bits is an integer from 0 to 8
 */
export function posterize(image: PixelImage, bits: number): NewImage {
  checkRange('bits', bits, 0, 8);
  const mask = LEVELS - 2 ** (8 - bits);
  return mapped(image, (value) => value & mask);
}

/**
 * Values from `threshold` on inverted.
 *
 * @returns a new image
 * @throws ImageError InvalidOption unless threshold is an integer from 0 to 256
 */
export function solarize(image: PixelImage, threshold: number): NewImage {
  checkRange('threshold', threshold, 0, LEVELS);
  return mapped(image, (value) => (value < threshold ? value : 255 - value));
}

/**
 * `amount` added to values below 128; the others stay.
 *
 * @returns a new image
 * @throws ImageError InvalidOption unless amount is an integer from 0 to 255
 */
export function solarizeAdd(image: PixelImage, amount: number): NewImage {
  checkRange('amount', amount, 0, LEVELS - 1);
  return mapped(image, (value) => (value < LEVELS / 2 ? value + amount : value));
}

function mapped(image: PixelImage, change: (value: number) => number): NewImage {
  return mappedByChannel(image, () => change);
}

/** Every value through a table for its channel, which is made of the channel's histogram. */
function mappedByChannel(
  image: PixelImage,
  changeOf: (histogram: readonly number[]) => (value: number) => number,
): NewImage {
  checkImage(image);
  const { data, width, height, channels } = image;
  const histograms = Array.from({ length: channels }, () => Array<number>(LEVELS).fill(0));
  for (let i = 0; i < data.length; i++) histograms[i % channels]![data[i]!]!++;
  const tables = histograms.map((histogram) => {
    const change = changeOf(histogram);
    return Uint8ClampedArray.from({ length: LEVELS }, (_, value) => change(value));
  });
  const out = Uint8Array.from(data, (value, i) => tables[i % channels]![value]!);
  return { data: out, width, height, channels };
}

function checkRange(name: string, value: number, low: number, high: number): void {
  if (Number.isSafeInteger(value) && value >= low && value <= high) return;
  throw new ImageError('InvalidOption', `${name} must be an integer from ${low} to ${high}, got ${String(value)}.`);
}
