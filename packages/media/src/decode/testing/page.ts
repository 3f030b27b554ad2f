// What the tests of decoding run inside the browser.
import { decodeImage, loadImage } from '../browser.ts';
import type { DecodeImageOptions } from '../options.ts';
import { outcome } from './outcome.ts';

export async function decoded(file: Uint8Array, options: DecodeImageOptions): Promise<string> {
  return await outcome(decodeImage, file, options);
}

/** Fetches from this page's own server. */
export async function loaded(path: string, options: DecodeImageOptions = {}): Promise<string> {
  return await outcome((_, given) => loadImage(path, given), new Uint8Array(0), options);
}

export async function pixels(file: Uint8Array, options: DecodeImageOptions): Promise<Uint8Array> {
  return (await decodeImage(file, options)).data;
}
