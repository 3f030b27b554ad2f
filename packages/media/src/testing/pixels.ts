import { readFileSync } from 'node:fs';
import { ImageError } from '../errors.ts';
import type { PixelImage } from '../image.ts';

export function fixture(name: string): Uint8Array {
  return readFileSync(new URL(`../fixtures/${name}`, import.meta.url));
}

/** The noise of `image` in fixtures/make_pillow.py, byte for byte. */
export function noise(
  width: number,
  height: number,
  channels: number,
  seed: number,
  extreme = false,
): PixelImage & { data: Uint8Array } {
  const data = new Uint8Array(width * height * channels);
  let state = seed;
  for (let i = 0; i < data.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const value = state >>> 24;
    data[i] = extreme ? (value > 127 ? 255 : 0) : value;
  }
  return { data, width, height, channels };
}

/** The ImageError that `run` throws. Anything else it throws, and a normal return, fails the test. */
export function errorOf(run: () => unknown): ImageError {
  try {
    run();
  } catch (error) {
    if (error instanceof ImageError) return error;
    throw error;
  }
  throw new Error('expected an ImageError, nothing was thrown');
}
