import { describeInBrowser } from '@saccade/browser';
import { expect, it } from 'vitest';
import { DecodeError } from '../errors.ts';
import { readClip } from './frameSource.ts';
import { openVideo } from './node/openVideo.ts';
import { CLIPS, clipBytes, clipUrl } from './testing/clips.ts';
import { boxStart, overwritten, withSecondEdit } from './testing/damage.ts';
import { codeOf, describeFrames } from './testing/describe.ts';
import { describeWithAv } from './testing/describeWithAv.ts';
import type { OpenVideoOptions } from './videoOptions.ts';

type Failure = (file: Uint8Array, options?: OpenVideoOptions) => Promise<unknown>;

const clip = (name: string) => new Uint8Array(clipBytes(name));
const cut = (name: string, part: number) => clip(name).subarray(0, Math.floor(part * clip(name).length));
/** The rate of an edit, in 16.16 fixed point, is the last thing in its entry. */
const withRate = (rate: number) =>
  overwritten(clip('untagged.mp4'), boxStart(clip('untagged.mp4'), 'elst') + 16, [0, rate]);

const FILES: readonly [string, string, Uint8Array, OpenVideoOptions?][] = [
  ['no bytes', 'UnknownFormat', new Uint8Array(0)],
  ['a text', 'UnknownFormat', new TextEncoder().encode('RIFF is not what this file is, nor is it anything else.')],
  ['a list of clips', 'UnknownFormat', clip('clips.json')],
  ['sound without pictures', 'NoFrames', clip('sound_only.mp4')],
  ['frames of 10 bits', 'Unsupported', clip('ten_bit.webm')],
  ['an MP4 file that was cut off, its index in front', 'Truncated', cut('h264.mp4', 0.6)],
  ['an MP4 file that was cut off, its index at the end', 'Truncated', cut('av1.mp4', 0.6)],
  ['a WebM file that was cut off', 'Truncated', cut('vp9.webm', 0.6)],
  ['the first bytes of an MP4 file', 'Truncated', clip('h264.mp4').subarray(0, 40)],
  ['an edit list of two pieces', 'Unsupported', withSecondEdit(clip('untagged.mp4'))],
  ['an edit list that changes the speed', 'Unsupported', withRate(2)],
  ['an edit list that stops', 'Unsupported', withRate(0)],
  ['more frames than allowed', 'TooLarge', clip('h264.mp4'), { maxFrames: 39 }],
  ['larger frames than allowed', 'TooLarge', clip('h264.mp4'), { maxPixels: 96 * 64 - 1 }],
  [
    'a matrix that does not exist',
    'InvalidArgument',
    clip('h264.mp4'),
    { colourSpace: { matrix: 'bt2020' as 'bt709' } },
  ],
];

function refuses(failure: Failure): void {
  it.each(FILES)('refuses %s: %s', async (_, code, file, options) => {
    expect(await failure(file, options)).toBe(code);
  });

  it('takes an edit list of one piece at its speed', async () => {
    expect(await failure(withRate(1))).toHaveLength(20);
  });
}

describeWithAv('openVideo in Node', () => {
  refuses((file, options) =>
    codeOf(async () => {
      await using video = await openVideo(file, options);
      return await describeFrames(video.frames(video.timestamps.keys()));
    }),
  );

  it('refuses a frame whose bytes are damaged, and those that need it', async () => {
    const file = clip('h264.mp4');
    const middle = Math.floor(0.7 * file.length);
    const damaged = overwritten(file, middle, new Uint8Array(400).fill(0xaa));
    await using video = await openVideo(damaged);
    expect(video.frameCount).toBe(40);
    expect(await codeOf(() => readClip(video, [...video.timestamps.keys()]))).toBe('Corrupt');
    const [first] = await describeFrames(video.frames([0]));
    expect(first?.digest).toBe(CLIPS[0]?.rgb[0]);
  });

  it('refuses a file that is not there, and arguments that are no video', async () => {
    expect(await codeOf(() => openVideo('no/such/file.mp4'))).toBe('IoError');
    expect(await codeOf(() => openVideo(3 as never))).toBe('InvalidArgument');
    expect(await codeOf(() => openVideo({ size: 7 } as never))).toBe('InvalidArgument');
  });

  it('reports what a source throws', async () => {
    const source = { size: 1000, read: () => Promise.reject(new Error('gone')) };
    expect(await codeOf(() => openVideo(source))).toBe('IoError');
    const bytes = clip('h264.mp4');
    let reads = 0;
    const flaky = { size: bytes.length, read: async (a: number, b: number) => bytes.slice(a, reads++ > 0 ? b - 1 : b) };
    expect(await codeOf(() => openVideo(flaky))).toBe('IoError');
  });

  it.each([[40], [-1], [1.5], [Number.NaN]])('has no frame %s', async (index) => {
    await using video = await openVideo(clipUrl('h264.mp4'));
    expect(await codeOf(() => readClip(video, [0, index]))).toBe('OutOfRange');
  });

  it.each([[-0.1], [1.7], [Number.NaN]])('has no frame at %s s', async (time) => {
    await using video = await openVideo(clipUrl('h264.mp4'));
    expect(await codeOf(async () => await describeFrames(video.framesAt([time])))).toBe('OutOfRange');
  });

  it('gives nothing once it is closed, and ends what is under way', async () => {
    const video = await openVideo(clipUrl('h264.mp4'));
    const frames = video.frames([0, 1, 2]);
    await frames.next();
    await video.close();
    await video.close();
    expect(await codeOf(() => frames.next())).toBe('Closed');
    expect(await codeOf(() => readClip(video, [0]))).toBe('Closed');
  });

  it('stops when aborted, with the reason', async () => {
    const reason = new Error('enough');
    await expect(openVideo(clipUrl('h264.mp4'), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await using video = await openVideo(clipUrl('h264.mp4'));
    const controller = new AbortController();
    const frames = video.frames(video.timestamps.keys(), { signal: controller.signal });
    await frames.next();
    controller.abort(reason);
    await expect(frames.next()).rejects.toBe(reason);
    expect((await frames.next()).done).toBe(true);
  });

  it('says what it does not read in words', async () => {
    const error = await openVideo(withSecondEdit(clip('untagged.mp4'))).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(DecodeError);
    expect((error as DecodeError).message).toMatch(/edit list that shows several pieces/);
  });
});

type Exported = typeof import('./testing/page.ts');

await describeInBrowser<Exported>('openVideo', new URL('./testing/page.ts', import.meta.url), (page) => {
  refuses((file, options) => page().call('failure', file, options));
});
