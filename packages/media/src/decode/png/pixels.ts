import { DecodeError } from '../../errors.ts';
import type { ImageChannels } from '../options.ts';
import { type ColourType, GREY, GREY_ALPHA, PALETTE, type PngHeader, RGB, RGB_ALPHA, SAMPLES } from './header.ts';

/** Writes the pixels of a row of samples: `out[at]`, `out[at + stride]`, ... */
export type RowWriter = (row: Uint8Array, width: number, out: Uint8Array, at: number, stride: number) => void;

/**
 * Makes the function that turns samples into pixels, as Pillow does:
 * grey of 1, 2 and 4 bits is stretched to 0 .. 255; of colours of 16 bits the upper 8 are kept, and 16-bit grey, which
 * Pillow reads as numbers, saturates at 255; palettes are looked up. With one channel, palette indices stay as they are.
 *
 * @throws DecodeError InvalidArgument if one channel is asked of an image that has more or whose grey needs 16 bits;
 *   Corrupt, from the function it returns, for an index beyond the palette
 */
export function rowWriter(header: PngHeader, channels: ImageChannels): RowWriter {
  const { depth, colour, transparency } = header;
  if (channels === 1) return labelWriter(header);
  if (colour === PALETTE || (colour === GREY && depth <= 8)) return tableWriter(header, channels);
  if (colour === GREY) return deepGreyWriter(header, channels);
  const copy = copyWriter(header, channels);
  const keyed = colour === RGB && channels === 4 && transparency.length === 6;
  return keyed ? keyWriter(header, copy) : copy;
}

function labelWriter({ depth, colour }: PngHeader): RowWriter {
  if (depth === 16 || (colour !== GREY && colour !== PALETTE)) {
    const kind = colour === GREY ? 'grey of 16 bits' : colour === GREY_ALPHA ? 'grey with alpha' : 'colours';
    throw new DecodeError(
      'InvalidArgument',
      `channels: 1 takes grey of up to 8 bits and palette images as they are, this PNG file has ${kind}. Decode 3 or 4 ` +
        'channels, and make one of them.',
    );
  }
  const scale = colour === GREY ? 255 / (2 ** depth - 1) : 1;
  return (row, width, out, at, stride) => {
    for (let x = 0; x < width; x++) out[at + x * stride] = sampleOf(row, x, depth) * scale;
  };
}

/** The sample number x of a row of samples of 1 to 8 bits. */
function sampleOf(row: Uint8Array, x: number, depth: number): number {
  if (depth === 8) return row[x]!;
  const bit = x * depth;
  return (row[bit >> 3]! >> (8 - depth - (bit & 7))) & (2 ** depth - 1);
}

/** For images of at most 256 different samples: grey and palettes. */
function tableWriter(header: PngHeader, channels: 3 | 4): RowWriter {
  const { depth } = header;
  const table = header.colour === GREY ? greys(header) : colours(header);
  const entries = table.length / 4;
  return (row, width, out, at, stride) => {
    for (let x = 0; x < width; x++) {
      const sample = sampleOf(row, x, depth);
      if (sample >= entries) {
        throw new DecodeError(
          'Corrupt',
          `the PNG file uses colour ${sample} of a palette of ${entries}. If it is a label map, decode it with channels: 1.`,
        );
      }
      for (let c = 0; c < channels; c++) out[at + x * stride + c] = table[4 * sample + c]!;
    }
  };
}

/** [entries, 4] */
function colours({ palette, transparency }: PngHeader): Uint8Array {
  const entries = palette.length / 3;
  const table = new Uint8Array(4 * entries);
  for (let i = 0; i < entries; i++) {
    table.set(palette.subarray(3 * i, 3 * i + 3), 4 * i);
    table[4 * i + 3] = transparency[i] ?? 255;
  }
  return table;
}

/** [2^depth, 4]; one grey may be transparent. */
function greys({ depth, transparency }: PngHeader): Uint8Array {
  const last = 2 ** depth - 1;
  const clear = sixteenBits(transparency);
  const table = new Uint8Array(4 * (last + 1));
  for (let i = 0; i <= last; i++) table.fill((255 * i) / last, 4 * i, 4 * i + 3)[4 * i + 3] = i === clear ? 0 : 255;
  return table;
}

function sixteenBits(bytes: Uint8Array): number | undefined {
  return bytes.length === 2 ? (bytes[0]! << 8) | bytes[1]! : undefined;
}

function deepGreyWriter({ transparency }: PngHeader, channels: 3 | 4): RowWriter {
  const clear = sixteenBits(transparency);
  return (row, width, out, at, stride) => {
    for (let x = 0; x < width; x++) {
      const sample = (row[2 * x]! << 8) | row[2 * x + 1]!;
      const pixel = at + x * stride;
      out.fill(Math.min(255, sample), pixel, pixel + 3);
      if (channels === 4) out[pixel + 3] = sample === clear ? 0 : 255;
    }
  };
}

/** Which sample of a pixel gives red, green, blue and alpha. */
const PLACES: Readonly<Record<ColourType, readonly number[]>> = {
  [GREY]: [0, 0, 0],
  [RGB]: [0, 1, 2],
  [PALETTE]: [],
  [GREY_ALPHA]: [0, 0, 0, 1],
  [RGB_ALPHA]: [0, 1, 2, 3],
};

/** Takes the first byte of each sample, which is its upper one. */
function copyWriter({ depth, colour }: PngHeader, channels: 3 | 4): RowWriter {
  const step = depth / 8;
  const bytes = step * SAMPLES[colour];
  if (channels === bytes && channels === 3) return copyRows;
  const [red = 0, green = 0, blue = 0, alpha] = PLACES[colour].map((place) => place * step);
  return (row, width, out, at, stride) => {
    for (let x = 0, from = 0; x < width; x++, from += bytes, at += stride) {
      out[at] = row[from + red]!;
      out[at + 1] = row[from + green]!;
      out[at + 2] = row[from + blue]!;
      if (channels === 4) out[at + 3] = alpha === undefined ? 255 : row[from + alpha]!;
    }
  };
}

function copyRows(row: Uint8Array, width: number, out: Uint8Array, at: number, stride: number): void {
  if (stride === 3) out.set(row, at);
  else for (let x = 0; x < width; x++) out.set(row.subarray(3 * x, 3 * x + 3), at + x * stride);
}

/** One colour, stated in 16 bits a sample, is transparent. */
function keyWriter({ depth, transparency }: PngHeader, copy: RowWriter): RowWriter {
  const key = depth === 16 ? transparency : transparency.filter((_, i) => i % 2 === 1);
  return (row, width, out, at, stride) => {
    copy(row, width, out, at, stride);
    for (let x = 0; x < width; x++) {
      if (key.every((byte, i) => row[x * key.length + i] === byte)) out[at + x * stride + 3] = 0;
    }
  };
}
