import { type ByteSource, readExactly } from '../source/byteSource.ts';
import { quote } from '../weightsError.ts';
import { crc32 } from '../zip/crc32.ts';
import type { ZipEntry } from '../zip/directory.ts';
import { checkSum } from '../zip/entry.ts';
import { ZipError } from '../zip/errors.ts';

/** What is read at once of the compressed bytes for a header, and for all of an entry. */
const HEADER_READ_BYTES = 2 ** 13;
const READ_BYTES = 4 * 2 ** 20;

/**
 * The first `length` bytes of a file in an archive, unpacked if need be. No more than these is unpacked, unless they are
 * all: then it is made sure that nothing follows, and the checksum is compared.
 *
 * @param start position of the entry's data in the archive
 * @throws ZipError InvalidZip, ChecksumMismatch; SourceError; an abort unchanged
 */
export async function readEntry(
  source: ByteSource,
  entry: ZipEntry,
  start: number,
  length = entry.size,
): Promise<Uint8Array> {
  const bytes =
    entry.method === 0 ? await readExactly(source, start, start + length) : await inflate(source, entry, start, length);
  if (length === entry.size) checkSum(entry, crc32(bytes));
  return bytes;
}

/** Through the platform's own decompressor, which writes no further than we read. */
async function inflate(source: ByteSource, entry: ZipEntry, start: number, length: number): Promise<Uint8Array> {
  let sourceFault: { readonly error: unknown } | undefined;
  const step = length < entry.size ? HEADER_READ_BYTES : READ_BYTES;
  const compressed = compressedStream(source, { start, end: start + entry.compressedSize, step }, (error) => {
    sourceFault = { error };
  });
  const out = new Uint8Array(length);
  const reader = compressed.pipeThrough(decompressor(entry)).getReader();
  let filled = 0;
  try {
    // All of an entry is read up to its end; the beginning of one only as far as was asked for.
    while (filled < length || length === entry.size) {
      const { done, value } = await reader.read();
      if (done) break;
      const fits = Math.min(value.byteLength, length - filled);
      out.set(value.subarray(0, fits), filled);
      filled += fits;
      if (fits < value.byteLength && length === entry.size) throw wrongSize(entry, 'more');
    }
  } catch (cause) {
    if (sourceFault !== undefined) throw sourceFault.error;
    if (cause instanceof ZipError) throw cause;
    throw new ZipError('InvalidZip', `the compressed bytes of ${quote(entry.name)} are damaged. Download it again.`, {
      cause,
    });
  } finally {
    // Ends the decompressor; what it has to say about that is of no interest.
    await reader.cancel().catch(() => undefined);
  }
  if (filled < length) throw wrongSize(entry, 'fewer');
  return out;
}

/** @throws ZipError UnsupportedZip where the platform has none */
function decompressor({ name }: ZipEntry): DecompressionStream {
  try {
    return new DecompressionStream('deflate-raw');
  } catch (cause) {
    throw new ZipError(
      'UnsupportedZip',
      `${quote(name)} is compressed, and this platform cannot unpack it (DecompressionStream 'deflate-raw'). Save it ` +
        'without compression: np.savez(path, **np.load(path)).',
      { cause },
    );
  }
}

function wrongSize({ name, size }: ZipEntry, which: string): ZipError {
  return new ZipError(
    'InvalidZip',
    `${quote(name)} unpacks to ${which} bytes than the ${size} that the archive claims. Do not use it.`,
  );
}

function compressedStream(
  source: ByteSource,
  { start, end, step }: { start: number; end: number; step: number },
  onFault: (error: unknown) => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let at = start;
  return new ReadableStream(
    {
      async pull(controller) {
        if (at === end) return controller.close();
        const next = Math.min(end, at + step);
        try {
          // A copy: decompressors refuse shared memory.
          controller.enqueue((await readExactly(source, at, next)).slice());
        } catch (error) {
          onFault(error);
          throw error;
        }
        at = next;
      },
    },
    { highWaterMark: 0 },
  );
}
