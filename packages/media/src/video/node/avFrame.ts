import type { VideoSamplePixelFormat } from 'mediabunny';
import type { Frame } from 'node-av/lib';

type Constants = typeof import('node-av/constants');

/** FFmpeg's names of the layouts that are read here; the J ones are the same in full range. */
export function pixelFormats(constants: Constants): ReadonlyMap<number, VideoSamplePixelFormat> {
  return new Map<number, VideoSamplePixelFormat>([
    [constants.AV_PIX_FMT_YUV420P, 'I420'],
    [constants.AV_PIX_FMT_YUVJ420P, 'I420'],
    [constants.AV_PIX_FMT_YUV422P, 'I422'],
    [constants.AV_PIX_FMT_YUVJ422P, 'I422'],
    [constants.AV_PIX_FMT_YUV444P, 'I444'],
    [constants.AV_PIX_FMT_YUVJ444P, 'I444'],
    // Known, so that messages can name them; they are refused.
    [constants.AV_PIX_FMT_YUV420P10LE, 'I420P10'],
    [constants.AV_PIX_FMT_YUV422P10LE, 'I422P10'],
    [constants.AV_PIX_FMT_YUV444P10LE, 'I444P10'],
  ]);
}

/** How many pixels across and down share a sample of colour. */
const SHARED: Partial<Record<VideoSamplePixelFormat, readonly [across: number, down: number]>> = {
  I420: [2, 2],
  I422: [2, 1],
  I444: [1, 1],
};

/** The planes of a frame without the padding that FFmpeg's rows have; none for layouts that are not read. */
export function tightPlanes(
  frame: Frame,
  format: VideoSamplePixelFormat | null,
): { data: Uint8Array; stride: number }[] {
  const shared = format === null ? undefined : SHARED[format];
  const { data: buffers, linesize, width, height } = frame;
  if (shared === undefined || buffers === null) return [];
  return buffers.slice(0, 3).map((buffer, i) => {
    const [across, down] = i === 0 ? [1, 1] : shared;
    const stride = Math.ceil(width / across);
    const rows = Math.ceil(height / down);
    const data = new Uint8Array(stride * rows);
    for (let y = 0; y < rows; y++) {
      const from = y * (linesize[i] ?? 0);
      data.set(buffer.subarray(from, from + stride), y * stride);
    }
    return { data, stride };
  });
}
