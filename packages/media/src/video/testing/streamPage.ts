// What the tests of streams and video elements run inside the browser.
import type { Frame } from '../frameSource.ts';
import { openVideoElement } from '../videoElement.ts';
import { type CollectOptions, collectVideoFrames } from '../videoFrames.ts';
import { codeOf, type DescribedFrame, type DescribedVideo, describeFrames, describeVideo } from './describe.ts';

/** A frame of one colour, at a number of tenths of a second. */
function coloured(tenth: number, size = 8, duration?: number): VideoFrame {
  const pixels = new Uint8Array(size * size * 4).map((_, i) => (i % 4 === 3 ? 255 : 10 * tenth + (i % 4)));
  const timing = { timestamp: tenth * 100_000, ...(duration === undefined ? {} : { duration }) };
  return new VideoFrame(pixels, { format: 'RGBX', codedWidth: size, codedHeight: size, ...timing });
}

const made: VideoFrame[] = [];

function streamOf(frames: readonly VideoFrame[], end: 'close' | 'stall' | 'fail'): ReadableStream<VideoFrame> {
  made.push(...frames);
  let next = 0;
  return new ReadableStream<VideoFrame>(
    {
      pull(controller) {
        const frame = frames[next++];
        if (frame !== undefined) controller.enqueue(frame);
        else if (end === 'close') controller.close();
        else if (end === 'fail') controller.error(new Error('unplugged'));
        else return new Promise(() => undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

export async function collected(): Promise<{ video: DescribedVideo; colours: number[][]; open: number }> {
  await using source = await collectVideoFrames(streamOf([coloured(2), coloured(3), coloured(5, 8, 100_000)], 'close'));
  const frames: Frame[] = [];
  for await (const frame of source.frames([2, 0, 0])) frames.push(frame);
  return {
    video: describeVideo(source),
    colours: frames.map(({ data }) => [...data.subarray(0, 4)]),
    open: openFrames(),
  };
}

export async function refused(): Promise<Record<string, unknown>> {
  const collect = (stream: ReadableStream<VideoFrame>, options?: CollectOptions) =>
    codeOf(() => collectVideoFrames(stream, options));
  return {
    empty: await collect(streamOf([], 'close')),
    failing: await collect(streamOf([coloured(1)], 'fail')),
    backwards: await collect(streamOf([coloured(2), coloured(1)], 'close')),
    sizes: await collect(streamOf([coloured(1), coloured(2, 16)], 'close')),
    large: await collect(streamOf([coloured(1), coloured(2)], 'close'), { maxBytes: 200 }),
    stalled: await collectVideoFrames(streamOf([coloured(1)], 'stall'), { signal: AbortSignal.timeout(100) }).catch(
      (error: unknown) => (error as Error).name,
    ),
    open: openFrames(),
  };
}

/** Frames that nobody closed, other than those that were never taken from their stream. */
function openFrames(): number {
  return made.filter(({ format }) => format !== null).length;
}

export async function fromElement(
  file: Uint8Array,
  fps: number,
  indices: readonly number[],
): Promise<{ video: DescribedVideo; frames: DescribedFrame[] | unknown }> {
  const video = document.createElement('video');
  video.muted = true;
  video.src = URL.createObjectURL(new Blob([Uint8Array.from(file)], { type: 'video/webm' }));
  await new Promise((resolve, reject) => {
    video.onloadedmetadata = resolve;
    video.onerror = () => reject(new Error(video.error?.message));
  });
  await using source = openVideoElement(video, { fps, timeout: 3000 });
  const frames = await codeOf(() => describeFrames(source.frames(indices)));
  return { video: describeVideo(source), frames };
}
