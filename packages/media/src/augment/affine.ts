import type { Size } from '../clipCrops.ts';
import { ImageError } from '../errors.ts';
import { checkImage, type NewImage, type PixelImage } from '../image.ts';

/** How pixels between pixels are read. */
export type AffineFilter = 'nearest' | 'bilinear' | 'bicubic';

/** `[a, b, c, d, e, f]`: the result's pixel (x, y) shows the source at (a x + b y + c, d x + e y + f). */
export type AffineMatrix = readonly [number, number, number, number, number, number];

/** Options of {@link affine} and {@link rotate}. */
export interface AffineOptions {
  /** default `bicubic` */
  readonly filter?: AffineFilter;
  /** value of each channel where the source has no pixel; default 0 */
  readonly fill?: readonly number[];
}

/**
 * An image of the same size through an affine map, to the byte as Pillow's `Image.transform(size, AFFINE, matrix)`. Pixel
 * centres lie at halves. No antialiasing.
 *
 * @returns a new image
 * @throws ImageError InvalidImage, InvalidOption
 */
export function affine(image: PixelImage, matrix: AffineMatrix, options: AffineOptions = {}): NewImage {
  checkImage(image);
  const { width, height, channels } = image;
  const { filter = 'bicubic', fill = Array<number>(channels).fill(0) } = options;
  if (matrix.length !== 6 || matrix.some((value) => !Number.isFinite(value))) {
    throw new ImageError('InvalidOption', `matrix must be 6 finite numbers, got ${String(matrix)}.`);
  }
  if (fill.length !== channels || fill.some((value) => !Number.isInteger(value) || value < 0 || value > 255)) {
    throw new ImageError('InvalidOption', `fill must be ${channels} integers from 0 to 255, got ${String(fill)}.`);
  }
  if (!Object.hasOwn(READERS, filter)) {
    const known = Object.keys(READERS).join(', ');
    throw new ImageError('InvalidOption', `filter must be one of ${known}, got ${JSON.stringify(filter)}.`);
  }
  const position = filter === 'nearest' ? fixedPoint(matrix) : exact(matrix);
  const read = READERS[filter];
  const out = new Uint8Array(width * height * channels);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += channels) {
      const [u, v] = position(x, y);
      if (u >= 0 && u < width && v >= 0 && v < height) read(image, u, v, out, to);
      else out.set(fill, to);
    }
  }
  return { data: out, width, height, channels };
}

/**
 * An image of the same size turned about its middle, counter-clockwise, as Pillow's `Image.rotate(degrees)`: half turns are
 * exact, all others go through {@link affine}.
 */
export function rotate(image: PixelImage, degrees: number, options: AffineOptions = {}): NewImage {
  checkImage(image);
  const { width, height } = image;
  const turned = ((degrees % 360) + 360) % 360;
  if (turned === 0) return affine(image, [1, 0, 0, 0, 1, 0], { ...options, filter: 'nearest' });
  if (turned === 180) return affine(image, [-1, 0, width, 0, -1, height], { ...options, filter: 'nearest' });
  return affine(image, rotationMatrix(image, turned), options);
}

/** The matrix by which {@link rotate} turns. */
export function rotationMatrix({ width, height }: Size, degrees: number): AffineMatrix {
  const angle = -(degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)].map((value) => Number(value.toFixed(15))) as [number, number];
  const [x, y] = [width / 2, height / 2];
  // Pillow's order of operations: another one moves pixels at exact boundaries.
  return [cos, sin, -cos * x - sin * y + x, -sin, cos, sin * x - cos * y + y];
}

type Position = (x: number, y: number) => readonly [number, number];

function exact([a, b, c, d, e, f]: AffineMatrix): Position {
  return (x, y) => [a * (x + 0.5) + b * (y + 0.5) + c, d * (x + 0.5) + e * (y + 0.5) + f];
}

/** Where nothing is interpolated Pillow adds up positions of 16 fraction bits. */
function fixedPoint([a, b, c, d, e, f]: AffineMatrix): Position {
  const fix = (value: number) => Math.floor(value * 65536 + 0.5);
  const [xx, xy, yx, yy] = [fix(a), fix(b), fix(d), fix(e)];
  const [x0, y0] = [fix(c + a * 0.5 + b * 0.5), fix(f + d * 0.5 + e * 0.5)];
  return (x, y) => [Math.floor((x0 + xx * x + xy * y) / 65536), Math.floor((y0 + yx * x + yy * y) / 65536)];
}

/** Writes the pixel of `image` at (u, v), which lies inside, to `out`. */
type Reader = (image: PixelImage, u: number, v: number, out: Uint8Array, to: number) => void;

const READERS: Readonly<Record<AffineFilter, Reader>> = {
  nearest({ data, width, channels }, u, v, out, to) {
    const from = (v * width + u) * channels;
    for (let c = 0; c < channels; c++) out[to + c] = data[from + c]!;
  },
  bilinear(image, u, v, out, to) {
    const [x, y] = [Math.floor(u - 0.5), Math.floor(v - 0.5)];
    const [dx, dy] = [u - 0.5 - x, v - 0.5 - y];
    for (let c = 0; c < image.channels; c++) {
      const row = (j: number) => mix(pixel(image, x, j, c), pixel(image, x + 1, j, c), dx);
      out[to + c] = mix(row(y), row(y + 1), dy);
    }
  },
  bicubic(image, u, v, out, to) {
    const [x, y] = [Math.floor(u - 0.5), Math.floor(v - 0.5)];
    const [dx, dy] = [u - 0.5 - x, v - 0.5 - y];
    for (let c = 0; c < image.channels; c++) {
      const at = (i: number, j: number) => pixel(image, i, j, c);
      const row = (j: number) => cubic(at(x - 1, j), at(x, j), at(x + 1, j), at(x + 2, j), dx);
      const value = cubic(row(y - 1), row(y), row(y + 1), row(y + 2), dy);
      out[to + c] = Math.max(0, Math.min(255, Math.trunc(value)));
    }
  },
};

/** A channel of the pixel (x, y), or of the nearest one there is. */
function pixel({ data, width, height, channels }: PixelImage, x: number, y: number, channel: number): number {
  const column = Math.max(0, Math.min(width - 1, x));
  const row = Math.max(0, Math.min(height - 1, y));
  return data[(row * width + column) * channels + channel]!;
}

function mix(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}

/** Cubic convolution through four values, a = -1, at `d` after the second. */
function cubic(v1: number, v2: number, v3: number, v4: number, d: number): number {
  const p2 = -v1 + v3;
  const p3 = 2 * (v1 - v2) + v3 - v4;
  const p4 = -v1 + v2 - v3 + v4;
  return v2 + d * (p2 + d * (p3 + d * p4));
}
