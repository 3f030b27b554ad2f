import { DecodeError } from '../errors.ts';
import type { ColourSpace } from './colour.ts';

/** Where a plane lies in memory. */
interface PlaneLayout {
  readonly offset: number;
  /** Bytes from one row to the next. */
  readonly stride: number;
}

/** Layouts that hold luma for each pixel and two colour differences for each pixel or group of pixels. */
export type YuvFormat = 'I420' | 'I422' | 'I444' | 'NV12';

/** How many pixels across and down share a colour; bytes from one of its samples to the next. */
const CHROMA: Readonly<Record<YuvFormat, { readonly across: 1 | 2; readonly down: 1 | 2; readonly step: 1 | 2 }>> = {
  I420: { across: 2, down: 2, step: 1 },
  I422: { across: 2, down: 1, step: 1 },
  I444: { across: 1, down: 1, step: 1 },
  NV12: { across: 2, down: 2, step: 2 },
};

/**
 * Makes sure that the planes hold a whole frame.
 *
 * @throws DecodeError Unsupported, for a decoder that leaves out the last column or row of colours where a side is odd
 */
export function checkPlanes(
  format: YuvFormat,
  layout: readonly PlaneLayout[],
  { width, height }: { readonly width: number; readonly height: number },
  length: number,
): void {
  const { across, down, step } = CHROMA[format];
  const rowBytes = step * Math.ceil(width / across);
  const rows = Math.ceil(height / down);
  const whole =
    layout.length === (step === 2 ? 2 : 3) &&
    layout.every(({ offset, stride }, i) => {
      const [least, count] = i === 0 ? [width, height] : [rowBytes, rows];
      return stride >= least && offset + (count - 1) * stride + least <= length;
    });
  if (!whole) {
    throw new DecodeError(
      'Unsupported',
      `the decoder gives ${length} bytes for ${width} x ${height} pixels in ${format}, which are too few.`,
    );
  }
}

/** Weights of red and blue in luma. */
const LUMA = { bt601: [0.299, 0.114], bt709: [0.2126, 0.0722] } as const;

const PRECISION_BITS = 16;
const HALF = 1 << (PRECISION_BITS - 1);

/** Weights in units of 2^-16. */
interface Weights {
  readonly black: number;
  readonly luma: number;
  readonly redV: number;
  readonly greenU: number;
  readonly greenV: number;
  readonly blueU: number;
}

/**
 * `R = y + 2 (1 - r) v`, `B = y + 2 (1 - b) u`, `G = (y - r R - b B) / (1 - r - b)`, where r and b are the weights of red
 * and blue in luma, and in limited range y is stretched by 255 / 219 and u, v by 255 / 224.
 */
function weightsOf({ matrix, fullRange }: ColourSpace): Weights {
  const [r, b] = LUMA[matrix];
  const g = 1 - r - b;
  const chroma = fullRange ? 1 : 255 / 224;
  const fixed = (value: number) => Math.round(value * 2 ** PRECISION_BITS);
  return {
    black: fullRange ? 0 : 16,
    luma: fixed(fullRange ? 1 : 255 / 219),
    redV: fixed(2 * (1 - r) * chroma),
    greenU: fixed(((2 * (1 - b) * b) / g) * chroma),
    greenV: fixed(((2 * (1 - r) * r) / g) * chroma),
    blueU: fixed(2 * (1 - b) * chroma),
  };
}

/**
 * Converts a frame to RGB, in whole numbers and thus alike on every machine: weights are rounded to 2^-16, sums to the
 * nearest integer (halves up), and clipped to 0 .. 255. Pixels that share a colour sample all take it as it is, which is what
 * FFmpeg does by default when it does not resize.
 *
 * @param bytes the planes; `layout` names where: luma, then u and v, or for NV12 both in one
 * @returns [H, W, 3]
 */
export function yuvToRgb(
  bytes: Uint8Array,
  format: YuvFormat,
  layout: readonly PlaneLayout[],
  { width, height }: { readonly width: number; readonly height: number },
  colours: ColourSpace,
): Uint8Array {
  const { across, down, step } = CHROMA[format];
  const { black, luma, redV, greenU, greenV, blueU } = weightsOf(colours);
  const [yPlane, uPlane, second] = layout as readonly [PlaneLayout, PlaneLayout, PlaneLayout | undefined];
  const vPlane = second ?? { offset: uPlane.offset + 1, stride: uPlane.stride };
  // Clips what is assigned.
  const out = new Uint8ClampedArray(width * height * 3);
  let to = 0;
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / down);
    let yAt = yPlane.offset + y * yPlane.stride;
    let uAt = uPlane.offset + row * uPlane.stride;
    let vAt = vPlane.offset + row * vPlane.stride;
    const end = yAt + width;
    // The second pixel of a pair is written out, which takes half the time of a loop over the pair.
    while (yAt < end) {
      const u = bytes[uAt]! - 128;
      const v = bytes[vAt]! - 128;
      const red = redV * v + HALF;
      const green = HALF - greenU * u - greenV * v;
      const blue = blueU * u + HALF;
      const first = luma * (bytes[yAt++]! - black);
      out[to] = (first + red) >> PRECISION_BITS;
      out[to + 1] = (first + green) >> PRECISION_BITS;
      out[to + 2] = (first + blue) >> PRECISION_BITS;
      to += 3;
      if (across === 2 && yAt < end) {
        const second = luma * (bytes[yAt++]! - black);
        out[to] = (second + red) >> PRECISION_BITS;
        out[to + 1] = (second + green) >> PRECISION_BITS;
        out[to + 2] = (second + blue) >> PRECISION_BITS;
        to += 3;
      }
      uAt += step;
      vAt += step;
    }
  }
  return new Uint8Array(out.buffer);
}
