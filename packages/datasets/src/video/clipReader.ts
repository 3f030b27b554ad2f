import type { DecodeImage, FrameSource, PixelImage } from '@saccade/media';
import { namesIn } from '../adapters/presence.ts';
import { DatasetError } from '../errors.ts';
import { readingSample } from '../failures.ts';
import type { Files, OpenedFile } from '../files/files.ts';
import { readImage } from '../images/imageDataset.ts';
import { type ClipEntry, type ClipSpan, countFrames, type FrameFiles, framePath } from './clipEntry.ts';

/** Opens a video whose bytes are read in parts. The reader closes both the source and the file. */
export type OpenVideo = (
  file: OpenedFile,
  options: { readonly path: string; readonly signal: AbortSignal | undefined },
) => Promise<FrameSource>;

/** What reading clips needs. */
export interface ClipAccess {
  readonly files: Files;
  /** for clips whose frames are images: `decodeImage` of `@saccade/media` or `@saccade/media/node` */
  readonly decode?: DecodeImage | undefined;
  /** for clips that are videos */
  readonly openVideo?: OpenVideo | undefined;
}

/** The frames of a clip, counted from 0 in the clip, whatever it is a part of. */
export interface ClipReader {
  readonly length: number;
  /** frames a second; undefined for images, which do not tell it */
  readonly fps: number | undefined;
  /** RGB frames in the order of `indices`, which may repeat. */
  read(indices: readonly number[], signal: AbortSignal | undefined): Promise<PixelImage[]>;
  close(): Promise<void>;
}

/**
 * Opens a clip: a video, a part of one, or a folder of images.
 *
 * @throws DatasetError `missing`; `sample` for a video that cannot be opened or a clip without frames; `option` if the function
 *   that it needs was not given
 */
export function openClip(clip: ClipEntry, access: ClipAccess, signal?: AbortSignal | undefined): Promise<ClipReader> {
  return clip.frames ? openImages(clip, clip.frames, access, signal) : openVideoFile(clip, access, signal);
}

async function openImages(
  clip: ClipEntry,
  frames: FrameFiles,
  { files, decode }: ClipAccess,
  signal: AbortSignal | undefined,
): Promise<ClipReader> {
  if (decode === undefined) throw notGiven('decode', 'frames that are image files');
  const count = 'paths' in frames ? frames.paths.length : await countIn(files, clip.path, frames, signal);
  const [start, end] = partOf(clip, count, (seconds) => {
    throw new DatasetError({
      code: 'option',
      argument: clip.path,
      expected: 'a part in frames: images have no times',
      actual: `${seconds} seconds`,
    });
  });
  return {
    length: end - start,
    fps: undefined,
    async read(indices, reading) {
      checkNumbers(clip.path, indices, end - start);
      const images = new Map(
        Array.from(new Set(indices), (k) => {
          const path = framePath(clip, frames, start + k) as string;
          return [k, readImage(path, { files, decode }, 3, { signal: reading })] as const;
        }),
      );
      // All have ended before one failure is thrown: nothing goes on reading for a sample that is lost.
      await Promise.allSettled(images.values());
      return Promise.all(indices.map((k) => images.get(k) as Promise<PixelImage>));
    },
    close: async () => undefined,
  };
}

async function countIn(
  files: Files,
  folder: string,
  frames: Exclude<FrameFiles, { paths: readonly string[] }>,
  signal: AbortSignal | undefined,
): Promise<number> {
  return frames.count ?? countFrames(await namesIn(files, folder, signal), frames);
}

async function openVideoFile(
  clip: ClipEntry,
  { files, openVideo }: ClipAccess,
  signal: AbortSignal | undefined,
): Promise<ClipReader> {
  if (openVideo === undefined) throw notGiven('openVideo', 'videos');
  const { path } = clip;
  const file = await files.open(path);
  let source: FrameSource | undefined;
  const close = async () => {
    await source?.close();
    await file.close();
  };
  try {
    const opened = await readingSample(path, 'a video', signal, () => openVideo(file, { path, signal }));
    source = opened;
    const [start, end] = partOf(clip, opened.frameCount, (seconds) => firstFrameAt(opened.timestamps, seconds));
    return {
      length: end - start,
      fps: opened.fps,
      async read(indices, reading) {
        checkNumbers(path, indices, end - start);
        return readingSample(path, 'a video', reading, async () => {
          const frames: PixelImage[] = [];
          const numbers = indices.map((k) => start + k);
          for await (const frame of opened.frames(numbers, { signal: reading })) frames.push(frame);
          return frames;
        });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** First frame and end of the part that the clip is. */
function partOf({ path, span }: ClipEntry, count: number, frameAt: (seconds: number) => number): [number, number] {
  if (count < 1) throw noFrames(path, 'a clip of at least one frame', `${count} frames`);
  const [start, end] =
    span === undefined
      ? [0, count]
      : span.unit === 'frames'
        ? [span.start, Math.min(span.end, count)]
        : [frameAt(span.start), frameAt(span.end)];
  if (start >= end) throw noFrames(path, `frames from ${describeSpan(span)}`, `a video of ${count} frames`);
  return [start, end];
}

function describeSpan(span: ClipSpan | undefined): string {
  return span ? `${span.start} to ${span.end} (${span.unit})` : 'all';
}

/** The first frame that appears at that time or later; times lose a microsecond on their way through decoders. */
function firstFrameAt(timestamps: Float64Array, seconds: number): number {
  const first = timestamps.findIndex((time) => time >= seconds - 1e-6);
  return first < 0 ? timestamps.length : first;
}

function noFrames(path: string, expected: string, actual: string): DatasetError {
  return new DatasetError({ code: 'sample', argument: path, expected, actual });
}

function checkNumbers(path: string, indices: readonly number[], length: number): void {
  const bad = indices.find((k) => !Number.isInteger(k) || k < 0 || k >= length);
  if (bad === undefined) return;
  throw new DatasetError({
    code: 'option',
    argument: 'sampler',
    expected: `frames from 0 to ${length - 1} of ${path}`,
    actual: String(bad),
  });
}

function notGiven(option: string, what: string): DatasetError {
  return new DatasetError({
    code: 'option',
    argument: option,
    expected: `a function that reads ${what}`,
    actual: 'none',
    hint: 'See the README of @saccade/datasets for the functions of @saccade/media that fit.',
  });
}
