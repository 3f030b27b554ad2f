import { describeInBrowser } from '@saccade/browser';
import { expect, it } from 'vitest';
import { clipBytes } from './testing/clips.ts';
import type { DescribedFrame } from './testing/describe.ts';

const clip = new Uint8Array(clipBytes('vp9.webm'));
type Exported = typeof import('./testing/streamPage.ts');

await describeInBrowser<Exported>(
  'streams and elements',
  new URL('./testing/streamPage.ts', import.meta.url),
  (page) => {
    it('keeps the frames of a stream, and closes them', async () => {
      const { video, colours, open } = await page().call('collected');
      expect(video).toEqual({
        frameCount: 3,
        fps: expect.closeTo(3 / 0.4, 9),
        width: 8,
        height: 8,
        duration: expect.closeTo(0.4, 9),
        timestamps: [0.2, 0.3, 0.5],
      });
      expect(colours).toEqual([
        [50, 51, 52, 50],
        [20, 21, 22, 20],
        [20, 21, 22, 20],
      ]);
      expect(open).toBe(0);
    });

    it('refuses streams that are no video, and leaves no frame open that it took', async () => {
      expect(await page().call('refused')).toEqual({
        empty: 'NoFrames',
        failing: 'IoError',
        backwards: 'Corrupt',
        sizes: 'Unsupported',
        large: 'TooLarge',
        stalled: 'TimeoutError',
        open: 0,
      });
    });

    it('seeks a video element to frames by their numbers', async () => {
      const indices = [17, 0, 39, 18];
      const { video, frames } = await page().call('fromElement', clip, 25, indices);
      expect(video).toMatchObject({ frameCount: 40, width: 96, height: 64 });
      expect((frames as DescribedFrame[]).map(({ index, number }) => [index, number])).toEqual(
        indices.map((i) => [i, i]),
      );
    });

    it('notices that an element shows other frames than were asked for', async () => {
      const { frames } = await page().call('fromElement', clip, 60, [1]);
      expect(frames).toBe('Corrupt');
    });
  },
);
