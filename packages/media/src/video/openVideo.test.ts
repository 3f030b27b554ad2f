import { describeInBrowser } from '@saccade/browser';
import { describe, expect, it } from 'vitest';
import { openVideo } from './node/openVideo.ts';
import { CLIPS, type ClipCase, clipBytes, clipUrl } from './testing/clips.ts';
import { type DescribedFrame, type DescribedVideo, describeFrames, describeVideo } from './testing/describe.ts';
import { describeWithAv } from './testing/describeWithAv.ts';
import type { OpenVideoOptions } from './videoOptions.ts';

/** A home of the decoders, as functions that a page can have too. */
interface Home {
  opened(file: Uint8Array, options?: OpenVideoOptions): Promise<DescribedVideo>;
  frames(file: Uint8Array, indices?: readonly number[], options?: OpenVideoOptions): Promise<DescribedFrame[]>;
}

function asFfmpeg(clips: readonly ClipCase[], home: () => Home): void {
  describe.each(clips)('$name', ({ name, width, height, times, numbers, rgb }) => {
    const file = () => new Uint8Array(clipBytes(name));

    it('has the frames, times and size that FFmpeg finds', async () => {
      const video = await home().opened(file());
      expect(video).toMatchObject({ frameCount: numbers.length, width, height });
      expect(video.timestamps).toHaveLength(times.length);
      video.timestamps.forEach((time, i) => {
        expect(time).toBeCloseTo(times[i]!, 5);
      });
    });

    it('gives each frame the pixels that FFmpeg decodes', async () => {
      const frames = await home().frames(file());
      expect(frames.map(({ digest }) => digest)).toEqual(rgb);
      if (name !== 'rotated.mp4') expect(frames.map(({ number }) => number)).toEqual(numbers);
    });

    it('finds frames in any order', async () => {
      const last = numbers.length - 1;
      const wanted = [5, 5, 3, last, 0, 7, 8, last];
      const frames = await home().frames(file(), wanted);
      expect(frames.map(({ index }) => index)).toEqual(wanted);
      expect(frames.map(({ digest }) => digest)).toEqual(wanted.map((index) => rgb[index]));
    });
  });
}

describeWithAv('openVideo in Node', () => {
  asFfmpeg(CLIPS, () => ({
    async opened(file, options) {
      await using video = await openVideo(file, options);
      return describeVideo(video);
    },
    async frames(file, indices, options) {
      await using video = await openVideo(file, options);
      return await describeFrames(video.frames(indices ?? video.timestamps.keys()));
    },
  }));

  it('reads a file by its path', async () => {
    await using video = await openVideo(clipUrl('h264.mp4'));
    const [frame] = await describeFrames(video.frames([17]));
    expect(frame).toMatchObject({ index: 17, number: 17 });
  });
});

type Exported = typeof import('./testing/page.ts');

await describeInBrowser<Exported>('openVideo', new URL('./testing/page.ts', import.meta.url), (page) => {
  const decoded = CLIPS.filter(({ name }) => name !== 'h265.mp4');

  it('refuses H.265, which this browser does not decode', async () => {
    expect(await page().call('failure', new Uint8Array(clipBytes('h265.mp4')))).toBe('Unsupported');
  });

  asFfmpeg(decoded, () => ({
    opened: (file, options) => page().call('opened', file, options),
    frames: (file, indices, options) => page().call('frames', file, indices, options),
  }));
});
