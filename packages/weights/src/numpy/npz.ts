import type { LazyContents, LazyTensor } from '../lazyWeights.ts';
import type { ByteSource } from '../source/byteSource.ts';
import { readAhead } from '../source/readAhead.ts';
import { runOnSource } from '../source/reading.ts';
import { quote } from '../weightsError.ts';
import { readZipDirectory, type ZipDirectory, type ZipEntry } from '../zip/directory.ts';
import { locateEntry } from '../zip/entry.ts';
import { rowMajor } from './elements.ts';
import { NumpyFileError, numpyFailure, withNumpyErrors } from './errors.ts';
import { type NpyHeader, readNpyHeader } from './header.ts';
import { readEntry } from './inflate.ts';

const EXTENSION = '.npy';
/** What an archive may unpack to however small it is. */
const HARMLESS_BYTES = 64 * 2 ** 20;
/** What it may unpack to for each of its bytes. Weights hardly shrink; arrays of zeros shrink a thousandfold. */
const MAX_RATIO = 100;

/**
 * Reads the list of arrays in an archive: its directory, and the header of each array.
 *
 * @throws NumpyFileError, ZipError, SourceError
 */
export async function readNpz(source: ByteSource): Promise<LazyContents> {
  const directory = await runOnSource(readZipDirectory(source.size), source);
  const limit = MAX_RATIO * source.size + HARMLESS_BYTES;
  checkRatio(directory, source.size, limit);
  // The headers of small arrays lie close together.
  const ahead = readAhead(source);
  const tensors = new Map<string, LazyTensor>();
  const ignored = new Map<string, string>();
  for (const [path, entry] of directory) {
    if (!path.endsWith(EXTENSION)) {
      ignored.set(path, `${quote(path)} is no array: its name does not end in ${EXTENSION}.`);
      continue;
    }
    const name = path.slice(0, -EXTENSION.length);
    try {
      tensors.set(name, await readMember(source, ahead, entry));
    } catch (error) {
      if (!(error instanceof NumpyFileError)) throw error;
      if (error.code !== 'UnsupportedDtype') throw new NumpyFileError(error.code, `${quote(path)}: ${error.detail}`);
      ignored.set(name, `${quote(name)}: ${error.detail}`);
    }
  }
  if (tensors.size === 0) {
    const [reason] = ignored.values();
    throw new NumpyFileError('NotNumpy', `no array in the archive can be read. ${reason ?? 'It is empty.'}`);
  }
  return { format: 'npz', metadata: new Map(), tensors, ignored, limit, failure: numpyFailure };
}

async function readMember(source: ByteSource, ahead: ByteSource, entry: ZipEntry): Promise<LazyTensor> {
  const start = await runOnSource(locateEntry(entry), ahead);
  const header = await headerOf(entry, (end) => readEntry(ahead, entry, start, end));
  return {
    dtype: header.type.dtype,
    shape: header.shape,
    byteLength: header.byteLength,
    read: () =>
      withNumpyErrors(async () => rowMajor((await readEntry(source, entry, start)).subarray(header.dataStart), header)),
  };
}

/** @param readTo gives the bytes of the entry up to a position */
async function headerOf(entry: ZipEntry, readTo: (end: number) => Promise<Uint8Array>): Promise<NpyHeader> {
  const reading = readNpyHeader(entry.size);
  let step = reading.next();
  while (!step.done) {
    const [from, end] = step.value;
    step = reading.next((await readTo(end)).subarray(from));
  }
  return step.value;
}

/** Compressed entries can claim any size. @throws NumpyFileError TooLarge */
function checkRatio(directory: ZipDirectory, size: number, limit: number): void {
  let unpacked = 0;
  for (const entry of directory.values()) unpacked += entry.size;
  if (unpacked <= limit) return;
  throw new NumpyFileError(
    'TooLarge',
    `its ${size} bytes would unpack to ${unpacked}: more than ${MAX_RATIO} times as much (a zip bomb does that). If you ` +
      'trust whoever made it, save it without compression: np.savez(path, **np.load(path)).',
  );
}
