import { type ByteSource, readExactly } from './byteSource.ts';
import { SourceError } from './errors.ts';

/**
 * A reader of a format, written once for bytes in memory and for sources that are read in pieces: it yields the range
 * `[start, end)` it needs next, is resumed with exactly these bytes, and returns its result. The bytes may be a view of
 * the file in memory: they must not be written to.
 */
export type Reading<T> = Generator<readonly [start: number, end: number], T, Uint8Array>;

/**
 * Runs a reading on a whole file in memory.
 *
 * @throws SourceError OutOfBounds if the reading asks for bytes outside the file; whatever the reading throws
 */
export function runOnBytes<T>(reading: Reading<T>, bytes: Uint8Array): T {
  let step = reading.next();
  while (!step.done) {
    const [start, end] = step.value;
    if (!(start >= 0 && start <= end && end <= bytes.byteLength)) {
      throw new SourceError('OutOfBounds', `bytes ${start} to ${end} were asked of ${bytes.byteLength} bytes.`);
    }
    step = reading.next(bytes.subarray(start, end));
  }
  return step.value;
}

/**
 * Runs a reading on a source.
 *
 * @throws SourceError as readExactly; the signal's reason if aborted; whatever the reading throws
 */
export async function runOnSource<T>(reading: Reading<T>, source: ByteSource, signal?: AbortSignal): Promise<T> {
  let step = reading.next();
  while (!step.done) {
    signal?.throwIfAborted();
    step = reading.next(await readExactly(source, ...step.value));
  }
  return step.value;
}
