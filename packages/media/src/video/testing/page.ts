// What the tests of videos run inside the browser.
import { openVideo } from '../openVideo.ts';
import type { OpenVideoOptions } from '../videoOptions.ts';
import { codeOf, type DescribedFrame, type DescribedVideo, describeFrames, describeVideo } from './describe.ts';

export async function opened(file: Uint8Array, options: OpenVideoOptions = {}): Promise<DescribedVideo> {
  await using video = await openVideo(file, options);
  return describeVideo(video);
}

export async function frames(
  file: Uint8Array,
  indices: readonly number[] | undefined,
  options: OpenVideoOptions = {},
): Promise<DescribedFrame[]> {
  await using video = await openVideo(new Blob([Uint8Array.from(file)]), options);
  return await describeFrames(video.frames(indices ?? video.timestamps.keys()));
}

/** The code of the error that opening, or else reading all frames, ends with. */
export async function failure(file: Uint8Array, options: OpenVideoOptions = {}): Promise<unknown> {
  return await codeOf(() => frames(file, undefined, options));
}
