import { ImageError } from '../errors.ts';
import type { NewImage, PixelImage } from '../image.ts';
import { checkRgb } from './luminance.ts';

/**
 * Hue turned by `shift` of a full circle, to the byte as torchvision's `adjust_hue` of a Pillow image: in Pillow's 8-bit
 * HSV, whose hue wraps at 256, shifted by `trunc(255 shift)`.
 *
 * @param shift -0.5 to 0.5
 * @returns a new image
 * @throws ImageError InvalidImage, InvalidOption
 */
export function adjustHue(image: PixelImage, shift: number): NewImage {
  checkRgb(image);
  if (!(shift >= -0.5 && shift <= 0.5)) {
    throw new ImageError('InvalidOption', `shift must be from -0.5 to 0.5, got ${String(shift)}.`);
  }
  const { data, width, height } = image;
  const steps = Math.trunc(shift * 255);
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    const [hue, saturation, value] = toHsv(data[i]!, data[i + 1]!, data[i + 2]!);
    out.set(toRgbValues((hue + steps) & 255, saturation, value), i);
  }
  return { data: out, width, height, channels: 3 };
}

type Triple = readonly [number, number, number];

/** Pillow's conversion, with its mixture of float32 and float64. */
function toHsv(red: number, green: number, blue: number): Triple {
  const high = Math.max(red, green, blue);
  const low = Math.min(red, green, blue);
  if (high === low) return [0, 0, high];
  const span = high - low;
  const distance = (value: number) => Math.fround((high - value) / span);
  const [r, g, b] = [distance(red), distance(green), distance(blue)];
  const sector = high === red ? Math.fround(b - g) : high === green ? Math.fround(2 + r - b) : Math.fround(4 + g - r);
  const hue = Math.fround((sector / 6 + 1) % 1);
  return [Math.trunc(hue * 255), Math.trunc(Math.fround(span / high) * 255), high];
}

function toRgbValues(hue: number, saturation: number, value: number): Triple {
  if (saturation === 0) return [value, value, value];
  const scaled = Math.fround(saturation / 255);
  const turned = Math.fround((hue * 6) / 255);
  const sector = Math.floor(turned);
  const rest = Math.fround(turned - sector);
  const part = (share: number) => Math.max(0, Math.min(255, roundAway(Math.fround(value * (1 - share)))));
  const p = part(scaled);
  const q = part(Math.fround(scaled * rest));
  const t = part(scaled * (1 - rest));
  const sectors: readonly Triple[] = [
    [value, t, p],
    [q, value, p],
    [p, value, t],
    [p, q, value],
    [t, p, value],
    [value, p, q],
  ];
  return sectors[sector % 6] as Triple;
}

/** C's `round` of a number >= 0. */
function roundAway(value: number): number {
  return Math.floor(value + 0.5);
}
