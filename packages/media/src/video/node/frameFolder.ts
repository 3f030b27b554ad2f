import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadImage } from '../../decode/node/loadImage.ts';
import { DecodeError, messageOf } from '../../errors.ts';
import { type FrameFilesOptions, frameFilesWith } from '../frameFiles.ts';
import type { FrameSource } from '../frameSource.ts';

/** A video whose frames are image files, in the order of the list: paths, URLs or Blobs. See openFrameFolder. */
export const openFrameFiles = frameFilesWith<string | URL | Blob>(loadImage);

/** Options of openFrameFolder. */
export interface FrameFolderOptions extends FrameFilesOptions {
  /**
   * Names of the files, with the place of the number as in C: `%d`, or `%05d` for at least 5 digits. Default `%05d.jpg`, as
   * Something-Something V1 has it.
   */
  readonly pattern?: string | undefined;
  /** Number in the name of frame 0. Default 1. */
  readonly start?: number | undefined;
}

/**
 * Opens a folder that holds the frames of a video as numbered image files. Files of other names do not matter.
 *
 * @throws DecodeError IoError if there is no such folder; NoFrames without a file of the first number; Corrupt if a number is
 *   missing in between; InvalidArgument; what openFrameFiles throws
 */
export async function openFrameFolder(directory: string, options: FrameFolderOptions = {}): Promise<FrameSource> {
  const { pattern = '%05d.jpg', start = 1, ...others } = options;
  const { before, digits, after } = parsePattern(pattern);
  if (!Number.isSafeInteger(start) || start < 0) {
    throw new DecodeError('InvalidArgument', `start must be an integer of at least 0, got ${String(start)}.`);
  }
  const nameOf = (number: number) => `${before}${String(number).padStart(digits, '0')}${after}`;
  const present = new Set(await list(directory));
  const names: string[] = [];
  for (let number = start; present.has(nameOf(number)); number++) names.push(nameOf(number));
  if (names.length === 0) {
    throw new DecodeError(
      'NoFrames',
      `${directory} has no file ${nameOf(start)}. State the names of the files (pattern) and the first number (start).`,
    );
  }
  const first = start + names.length;
  const later = [...present].find((name) => {
    if (!name.startsWith(before) || !name.endsWith(after)) return false;
    const number = Number(name.slice(before.length, name.length - after.length));
    return number > first && name === nameOf(number);
  });
  if (later !== undefined) {
    throw new DecodeError('Corrupt', `${directory} has ${later}, but not ${nameOf(first)}: frames are missing.`);
  }
  return await openFrameFiles(
    names.map((name) => join(directory, name)),
    others,
  );
}

async function list(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (cause) {
    throw new DecodeError('IoError', `${directory} could not be listed: ${messageOf(cause)}.`, { cause });
  }
}

function parsePattern(pattern: string): { before: string; digits: number; after: string } {
  const match = /^([^%]*)%(?:0(\d+))?d([^%]*)$/.exec(pattern);
  if (match === null || pattern.includes('/') || pattern.includes('\\')) {
    throw new DecodeError(
      'InvalidArgument',
      `pattern must be a file name with one %d or %05d in it, got ${JSON.stringify(pattern)}.`,
    );
  }
  return { before: match[1] ?? '', digits: Number(match[2] ?? 1), after: match[3] ?? '' };
}
