import { describeInBrowser } from '@saccade/browser';
import { beforeAll, expect, it, vi } from 'vitest';
import { readClip } from './frameSource.ts';
import { openVideo } from './node/openVideo.ts';
import { clipBytes } from './testing/clips.ts';
import { overwritten } from './testing/damage.ts';
import { codeOf } from './testing/describe.ts';
import { describeWithAv } from './testing/describeWithAv.ts';

let lib: typeof import('node-av/lib');

const clip = (name: string) => new Uint8Array(clipBytes(name));

/** Counts what node-av allocates outside of JavaScript's memory, and what it is given back. */
function countNative() {
  const opened = vi.spyOn(lib.CodecContext.prototype, 'allocContext3');
  const closed = vi.spyOn(lib.CodecContext.prototype, 'freeContext');
  const frames = vi.spyOn(lib.Frame.prototype, 'clone');
  const scratch = vi.spyOn(lib.Frame.prototype, 'alloc');
  const freed = vi.spyOn(lib.Frame.prototype, 'free');
  return {
    decoders: () => opened.mock.calls.length,
    open: () => opened.mock.calls.length - closed.mock.calls.length,
    frames: () => frames.mock.calls.length + scratch.mock.calls.length - freed.mock.calls.length,
  };
}

describeWithAv('openVideo in Node', () => {
  beforeAll(async () => {
    lib = await import('node-av/lib');
  });

  it.each<[string, (file: Uint8Array) => Promise<unknown>]>([
    [
      'all frames are read',
      async (file) => {
        await using video = await openVideo(file);
        return await readClip(video, [...video.timestamps.keys()]);
      },
    ],
    [
      'the loop is left',
      async (file) => {
        await using video = await openVideo(file);
        for await (const frame of video.frames([3, 30])) return frame;
      },
    ],
    [
      'reading is aborted',
      async (file) => {
        await using video = await openVideo(file);
        const controller = new AbortController();
        const frames = video.frames([3, 30, 39], { signal: controller.signal });
        await frames.next();
        controller.abort(new Error('enough'));
        await expect(frames.next()).rejects.toThrow('enough');
      },
    ],
    [
      'the video is closed in between',
      async (file) => {
        const video = await openVideo(file);
        const frames = video.frames([3, 30]);
        await frames.next();
        await video.close();
        await frames.return();
      },
    ],
    [
      'a frame is damaged',
      async (file) => {
        const damaged = overwritten(file, Math.floor(0.3 * file.length), new Uint8Array(400).fill(0xaa));
        await using video = await openVideo(damaged);
        expect(await codeOf(() => readClip(video, [...video.timestamps.keys()]))).toBe('Corrupt');
      },
    ],
    [
      'several read at once',
      async (file) => {
        await using video = await openVideo(file);
        const clips = await Promise.all([[0, 20], [39], [20, 5]].map((indices) => readClip(video, indices)));
        expect(clips[0]?.data.subarray(clips[0].data.length / 2)).toEqual(clips[2]?.data.subarray(0, 96 * 64 * 3));
      },
    ],
  ])('frees frames and decoders when %s', async (_, action) => {
    const native = countNative();
    await action(clip('h264.mp4'));
    expect(native.decoders()).toBeGreaterThan(0);
    // mediabunny closes decoders when the call that is under way has ended.
    await vi.waitFor(() => expect([native.open(), native.frames()]).toEqual([0, 0]), 10_000);
    vi.restoreAllMocks();
  });
});

type Exported = typeof import('./testing/leakPage.ts');

await describeInBrowser<Exported>('openVideo', new URL('./testing/leakPage.ts', import.meta.url), (page) => {
  it.each(['read', 'leave', 'abort', 'close'] as const)('frees frames and decoders after %s', async (how) => {
    const { opened, decoders, frames } = await page().call('counted', clip('vp9.webm'), how);
    expect(opened).toBeGreaterThan(0);
    expect([decoders, frames]).toEqual([0, 0]);
  });
});
