import type { DecodedImage, ImageChannels } from '../options.ts';
import { type PngHeader, SAMPLES } from './header.ts';
import { inflate } from './inflate.ts';
import { rowWriter } from './pixels.ts';
import { bytesOf, passesOf, unfilteredRows } from './rows.ts';

/**
 * Decodes a PNG file: the same bytes in Node and in every browser, as a canvas gives them only for opaque images of 8 bits.
 * Colour profiles, gamma and backgrounds are not applied, nor are further frames of an animation read.
 *
 * @throws DecodeError Truncated, Corrupt, InvalidArgument; the signal's reason
 */
export async function decodePng(
  header: PngHeader,
  channels: ImageChannels,
  signal: AbortSignal | undefined,
): Promise<DecodedImage> {
  const { width, height, depth, colour, pieces } = header;
  const write = rowWriter(header, channels);
  const passes = passesOf(header);
  const samples = await inflate(pieces, bytesOf(passes), signal);
  const step = Math.max(1, (depth * SAMPLES[colour]) / 8);
  const data = new Uint8Array(width * height * channels);
  let start = 0;
  for (const pass of passes) {
    for (const [row, y] of unfilteredRows(samples, start, pass, step)) {
      const at = ((pass.top + y * pass.down) * width + pass.left) * channels;
      write(row, pass.width, data, at, pass.across * channels);
    }
    start += pass.height * (1 + pass.rowBytes);
  }
  return { data, width, height, channels };
}
