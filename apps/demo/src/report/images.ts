import { encode } from 'fast-png';
import type { FrameStack, StructureMap } from './types.ts';

/** Frame `index` of a clip as a PNG data URI. */
export function framePng({ height, width, pixels }: FrameStack, index: number): string {
  return png(pixels.slice(index * height * width, (index + 1) * height * width), width, height, 1);
}

/** All frames of a clip side by side, from left to right, as a PNG data URI. */
export function stripPng({ count, height, width, pixels }: FrameStack): string {
  const strip = new Uint8Array(pixels.length);
  for (let frame = 0; frame < count; frame++) {
    for (let row = 0; row < height; row++) {
      const start = (frame * height + row) * width;
      strip.set(pixels.subarray(start, start + width), (row * count + frame) * width);
    }
  }
  return png(strip, count * width, height, 1);
}

/** Time step `time` of a structure map as a PNG data URI, one pixel per token, `scale` = the weight at full colour. */
export function mapPng({ grid, weights }: StructureMap, time: number, scale: number): string {
  const size = grid.rows * grid.columns;
  const pixels = new Uint8Array(3 * size);
  for (let token = 0; token < size; token++) {
    pixels.set(divergingColour((weights[time * size + token] ?? 0) / scale), 3 * token);
  }
  return png(pixels, grid.columns, grid.rows, 3);
}

type Rgb = readonly [red: number, green: number, blue: number];

/** From nothing to full strength. Blue against orange stays apart for every common kind of colour blindness. */
const NEGATIVE: readonly Rgb[] = [
  [0, 0, 0],
  [17, 88, 170],
  [86, 166, 240],
  [205, 231, 255],
];
const POSITIVE: readonly Rgb[] = [
  [0, 0, 0],
  [168, 78, 5],
  [242, 147, 38],
  [255, 232, 190],
];

/**
 * Colour of a signed value, black at 0. Black rather than white in the middle: the clips themselves are black where
 * nothing is, and the report has a light and a dark theme.
 *
 * @param value -1 ... 1; values beyond are cut off
 */
export function divergingColour(value: number): Rgb {
  const ramp = value < 0 ? NEGATIVE : POSITIVE;
  const place = Math.min(1, Math.abs(value)) * (ramp.length - 1);
  const index = Math.min(ramp.length - 2, Math.floor(place));
  const [from, to] = [ramp[index] as Rgb, ramp[index + 1] as Rgb];
  const mix = (channel: 0 | 1 | 2) => Math.round(from[channel] + (to[channel] - from[channel]) * (place - index));
  return [mix(0), mix(1), mix(2)];
}

/** The scale of {@link divergingColour} from -1 to 1 as the colour stops of a CSS gradient. */
export function divergingGradient(): string {
  return Array.from({ length: 13 }, (_, stop) => `rgb(${divergingColour((stop - 6) / 6).join(' ')})`).join(', ');
}

function png(data: Uint8Array, width: number, height: number, channels: 1 | 3): string {
  return `data:image/png;base64,${Buffer.from(encode({ data, width, height, channels, depth: 8 })).toString('base64')}`;
}
