import { open } from 'node:fs/promises';
import type { RunLine } from '../core/run.ts';
import { parseRun } from '../files/parseRun.ts';
import { RunFileError } from '../files/RunFileError.ts';

/** Bytes of the largest file that is read. A full run has a few MB. */
const LARGEST_FILE = 64 * 2 ** 20;

/**
 * The lines of a file of results, the header first.
 *
 * @throws RunFileError when it cannot be read, is too large, or a line is not as {@link RunLine} says
 */
export async function readRun(path: string): Promise<RunLine[]> {
  return parseRun(await readBounded(path), path);
}

/** Reads no more than is allowed, whatever the size is said to be: a pipe has none. */
async function readBounded(path: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const parts: Buffer[] = [];
      let size = 0;
      for await (const part of file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
        size += part.length;
        if (size > LARGEST_FILE) throw new RunFileError(`${path}: expected at most ${LARGEST_FILE} bytes, got more`);
        parts.push(part);
      }
      return Buffer.concat(parts).toString('utf8');
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof RunFileError) throw cause;
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new RunFileError(`${path}: cannot be read: ${detail}`, { cause });
  }
}
