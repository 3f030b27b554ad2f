import type { PixelImage } from '@saccade/media';
import { decodeImage, openVideo } from '@saccade/media/node';
import { expect } from 'vitest';
import { fixture } from './fixtures.ts';

/** The pixels of an image are those of a file in `src/fixtures`, which is decoded without any of this package's code. */
export async function expectPixelsOf(image: PixelImage | undefined, name: string, channels: 1 | 3 = 3): Promise<void> {
  const { data, width, height } = await decodeImage(await fixture(name), { channels });
  expect(image).toMatchObject({ width, height, channels });
  // As text: a failing comparison of two arrays of 57,600 numbers takes minutes to print.
  expect(Buffer.from(image?.data ?? []).equals(Buffer.from(data)), `${name} in pixels`).toBe(true);
}

/** Frames are those with these numbers of a video in `src/fixtures`, opened without any of this package's code. */
export async function expectFramesOf(
  frames: readonly PixelImage[],
  name: string,
  numbers: readonly number[],
): Promise<void> {
  const video = await openVideo(await fixture(name));
  try {
    let at = 0;
    for await (const frame of video.frames(numbers)) {
      const same = Buffer.from(frames[at]?.data ?? []).equals(Buffer.from(frame.data));
      expect(same, `frame ${numbers[at]} of ${name}`).toBe(true);
      at++;
    }
    expect(frames).toHaveLength(at);
  } finally {
    await video.close();
  }
}
