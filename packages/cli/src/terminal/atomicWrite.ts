import { randomBytes } from 'node:crypto';
import { open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UsageError } from './failure.ts';

/** Options of {@link writeAtomically}. */
export interface AtomicWriteOptions {
  /** whether a file that is there may be replaced */
  readonly replace: boolean;
  readonly signal: AbortSignal;
  /** bytes written so far */
  readonly onProgress?: (bytes: number) => void;
}

/**
 * Writes a file that is there as a whole or not at all: into a hidden file beside it, which takes its name when everything is
 * on disk. When it throws, nothing is left behind, and a file that was there is as it was.
 *
 * @returns its length in bytes
 * @throws UsageError if it is there and may not be replaced, or its folder is not; the signal's reason; what `pieces` throws;
 *   errors of the system
 */
export async function writeAtomically(
  path: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { replace, signal, onProgress }: AtomicWriteOptions,
): Promise<number> {
  await checkTarget(path, replace);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.partial`);
  const handle = await open(temporary, 'wx');
  let length = 0;
  try {
    try {
      for await (const piece of pieces) {
        signal.throwIfAborted();
        for (let start = 0; start < piece.byteLength; ) {
          const { bytesWritten } = await handle.write(
            piece,
            start,
            Math.min(piece.byteLength - start, WRITTEN_AT_ONCE),
          );
          start += bytesWritten;
          length += bytesWritten;
          signal.throwIfAborted();
          onProgress?.(length);
        }
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return length;
}

/** Between two looks at the signal. */
const WRITTEN_AT_ONCE = 16 * 2 ** 20;

/** @throws UsageError */
export async function checkTarget(path: string, replace: boolean): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw new UsageError(`${path} is a folder. Name a file in it.`);
  if (found !== undefined && !replace) throw new UsageError(`${path} is there already. Pass --force to replace it.`);
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (!folder?.isDirectory()) throw new UsageError(`there is no folder ${dirname(path)}. Make it first.`);
}
