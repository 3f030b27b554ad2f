import type { SampleInfo } from '../dataset.ts';
import { DatasetError } from '../errors.ts';
import { joinPath } from '../files/paths.ts';

/** A clip of an annotation: a video file, a part of one, or a folder of images. */
export interface ClipEntry extends SampleInfo {
  /** for a clip whose frames are image files; `path` is their folder then, and a video file else */
  readonly frames?: FrameFiles | undefined;
  /** the part of the video or of the frames that the clip is; default all */
  readonly span?: ClipSpan | undefined;
}

/** A part: `start` belongs to it, `end` does not. Frames count from 0, seconds from the first frame. */
export interface ClipSpan {
  readonly unit: 'frames' | 'seconds';
  readonly start: number;
  readonly end: number;
}

/** How the frames of a clip are named: by a pattern in the clip's folder, or one by one. */
export type FrameFiles = NumberedFrames | { readonly paths: readonly string[] };

/** Frames `pattern(first)`, `pattern(first + 1)`, ... in the clip's folder. */
export interface NumberedFrames {
  /** as in printf: `%05d.jpg`, `img_%05d.jpg` */
  readonly pattern: string;
  /** number of the first file; default 1 */
  readonly first?: number | undefined;
  /** number of files; default: as many as there are in the folder */
  readonly count?: number | undefined;
}

const PLACE = /%(?:0(\d{1,2}))?d/;

/**
 * The name of a frame: `frameName('img_%05d.jpg', 7)` is `img_00007.jpg`.
 *
 * @throws DatasetError `option` for a pattern without one place for a number
 */
export function frameName(pattern: string, number: number): string {
  checkPattern(pattern);
  return pattern.replace(PLACE, (_, width: string | undefined) => String(number).padStart(Number(width ?? 0), '0'));
}

/** How many of the names are frames of the pattern, and belong to one row from `first` on. */
export function countFrames(names: Iterable<string>, { pattern, first = 1 }: NumberedFrames): number {
  const known = new Set(names);
  let count = 0;
  while (known.has(frameName(pattern, first + count))) count++;
  return count;
}

/** Path of frame k, from 0, of a clip. */
export function framePath(clip: ClipEntry, frames: FrameFiles, k: number): string | undefined {
  if ('paths' in frames) return frames.paths[k];
  return joinPath(clip.path, frameName(frames.pattern, (frames.first ?? 1) + k));
}

/** @throws DatasetError `option` */
export function checkPattern(pattern: string): void {
  if (pattern.split(new RegExp(PLACE, 'g')).length !== 3 || /[\\/]/.test(pattern)) {
    throw new DatasetError({
      code: 'option',
      argument: 'pattern',
      expected: 'the name of a file with one place for the number of the frame, such as img_%05d.jpg',
      actual: JSON.stringify(pattern),
    });
  }
}
