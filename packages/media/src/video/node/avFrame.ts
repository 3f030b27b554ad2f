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

/** A plane without padding. */
interface PlaneSize {
  /** Bytes of a row. */
  readonly stride: number;
  readonly rows: number;
}

/** The sizes of the planes of a frame; none for layouts that are not read. */
export function planeSizes({ width, height }: Frame, format: VideoSamplePixelFormat | null): PlaneSize[] {
  const shared = format === null ? undefined : SHARED[format];
  if (shared === undefined) return [];
  const [across, down] = shared;
  const chroma = { stride: Math.ceil(width / across), rows: Math.ceil(height / down) };
  return [{ stride: width, rows: height }, chroma, chroma];
}

/** The planes of a frame without the padding that FFmpeg's rows have. */
export function tightPlanes(frame: Frame, sizes: readonly PlaneSize[]): { data: Uint8Array; stride: number }[] {
  const { data: buffers, linesize } = frame;
  return sizes.map(({ stride, rows }, i) => {
    const data = new Uint8Array(stride * rows);
    for (let y = 0; y < rows; y++) {
      const from = y * (linesize[i] ?? 0);
      data.set(buffers?.[i]?.subarray(from, from + stride) ?? [], y * stride);
    }
    return { data, stride };
  });
}
