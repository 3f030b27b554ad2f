import { describeInBrowser } from '@saccade/browser';
import { describe, expect, it } from 'vitest';
import { decodeImage } from './node/decodeImage.ts';
import type { DecodeImageOptions } from './options.ts';
import { CASES, fileOf, type ImageCase } from './testing/cases.ts';
import { outcome } from './testing/outcome.ts';

type Decoded = (file: Uint8Array, options: DecodeImageOptions) => Promise<string>;

/** Formats that only one home reads, or that are refused on purpose. */
const REFUSED: Readonly<Record<string, readonly string[]>> = { native: ['jpeg CMYK'], wasm: ['jpeg CMYK'], sharp: [] };

function pillow(decoded: Decoded, decoder: 'sharp' | 'wasm' | 'native'): void {
  const read = CASES.filter(({ name }) => !REFUSED[decoder]?.includes(name));
  const size = ({ width, height }: ImageCase) => `${width} x ${height}`;

  it.each(read)('reads $name as Pillow does', async (image) => {
    const file = fileOf(image.name);
    expect(await decoded(file, { decoder })).toBe(`${size(image)} x 3: ${image.rgb}`);
    expect(await decoded(file, { decoder, channels: 4 })).toBe(`${size(image)} x 4: ${image.rgba}`);
    const one = image.one === undefined ? 'InvalidArgument' : `${size(image)} x 1: ${image.one}`;
    expect(await decoded(file, { decoder, channels: 1 })).toBe(one);
  });

  it.each(read.filter(({ upright }) => upright !== undefined))('turns $name upright', async ({ name, upright }) => {
    const text = await decoded(fileOf(name), { decoder, applyOrientation: true });
    expect(text.split(': ')[1]).toBe(upright);
  });

  it.each(REFUSED[decoder] ?? [])('refuses %s', async (name) => {
    expect(await decoded(fileOf(name), { decoder })).toBe('Unsupported');
  });
}

describe.each(['sharp', 'wasm'] as const)('decodeImage in Node with %s', (decoder) => {
  pillow((file, options) => outcome(decodeImage, file, options), decoder);
});

type Exported = typeof import('./testing/page.ts');

await describeInBrowser<Exported>('decodeImage', new URL('./testing/page.ts', import.meta.url), (page) => {
  describe.each(['native', 'wasm'] as const)('with %s', (decoder) => {
    pillow((file, options) => page().call('decoded', file, options), decoder);
  });
});
