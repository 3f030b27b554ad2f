import { ChunkReader } from './chunks.ts';
import { BLOCK, parsePaxRecords, parseTarHeader, type TarHeader, tarError, textIn } from './tarHeader.ts';

/** A file in a tar file. */
export interface TarMember {
  readonly name: string;
  /** bytes */
  readonly size: number;
  /** where its bytes begin in the tar file */
  readonly offset: number;
  /**
   * Its bytes, an array of their own. To be called before the next member is asked for; what is not read is passed over.
   *
   * @throws DatasetError `tar` if the file ends before they do
   */
  bytes(): Promise<Uint8Array>;
}

/** Options of {@link readTar}. */
export interface ReadTarOptions {
  /** for messages: the name of the shard */
  readonly name: string;
  /** larger members are refused; default 256 MiB */
  readonly maxMemberBytes?: number | undefined;
}

const DEFAULT_MAX_MEMBER_BYTES = 256 * 2 ** 20;
/** Long names are members too. */
const MAX_HEADER_BYTES = 2 ** 20;

/**
 * The files in a tar file, in order, as its bytes arrive. Nothing but the latest chunk and the member that is read is kept.
 *
 * Formats: POSIX ustar and pax, GNU (long names, sizes beyond 8 GiB), and the one before them. Folders, links and devices are
 * passed over. A member is given out when its header has come, so that everything before a fault is had before it is thrown.
 *
 * @throws DatasetError `tar` for a damaged header; a file that ends within a member, or without the block of zeros that ends a
 *   tar file (it was cut); sparse members and parts of several volumes, which are not read; members above `maxMemberBytes`
 */
export async function* readTar(
  chunks: AsyncIterable<Uint8Array>,
  { name: shard, maxMemberBytes = DEFAULT_MAX_MEMBER_BYTES }: ReadTarOptions,
): AsyncGenerator<TarMember, void, undefined> {
  const reader = new ChunkReader(chunks);
  const forAll = new Map<string, string>();
  /** what extended headers say of the next member */
  let next = new Map<string, string>();
  try {
    for (;;) {
      const where = `${shard}, byte ${reader.position}`;
      const block = await reader.take(BLOCK);
      if (block.byteLength < BLOCK) throw cut(where, 'a header block, or the block of zeros at its end');
      const header = parseTarHeader(block, where);
      if (header === undefined) return;
      if (EXTENDED.has(header.type)) {
        const content = await extension(reader, header, where);
        if (header.type === 'L') next.set('path', textIn(content, 0, content.byteLength));
        else if (header.type !== 'K') {
          for (const [key, value] of parsePaxRecords(content, where))
            (header.type === 'g' ? forAll : next).set(key, value);
        }
        continue;
      }
      const records = new Map([...forAll, ...next]);
      next = new Map();
      const { path: name = header.name } = Object.fromEntries(records);
      refuseUnread(header, records, `${where}, ${name}`);
      const size = sizeOf(header, records, where);
      let left = size + padding(size);
      if (FILES.has(header.type)) {
        if (size > maxMemberBytes) {
          const hint = 'Raise maxMemberBytes if such files are meant.';
          throw tarError(`${where}, ${name}`, `a file of at most ${maxMemberBytes} bytes`, `${size}`, hint);
        }
        yield {
          name,
          size,
          offset: reader.position,
          async bytes() {
            const bytes = (await reader.take(size)).slice();
            left -= bytes.byteLength;
            if (bytes.byteLength < size) throw cut(where, `${size} bytes of ${name}`, `${bytes.byteLength}`);
            return bytes;
          },
        };
      }
      const passed = await reader.skip(left);
      if (passed < left) throw cut(where, `${left} more bytes of ${name} and its padding`, `${passed}`);
    }
  } finally {
    await reader.close();
  }
}

/** Headers that say something of the next member: GNU's long names and long links, pax. */
const EXTENDED = new Set(['L', 'K', 'x', 'g']);
/** ... of regular files; 7 is a file for systems that no longer exist. */
const FILES = new Set(['0', '7']);
/** Links, devices, folders and pipes: whatever their size says, nothing follows. */
const WITHOUT_BYTES = new Set(['1', '2', '3', '4', '5', '6']);

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

async function extension(reader: ChunkReader, { type, size }: TarHeader, where: string): Promise<Uint8Array> {
  if (size > MAX_HEADER_BYTES) {
    throw tarError(where, `an extended header (${type}) of at most ${MAX_HEADER_BYTES} bytes`, `${size}`);
  }
  const content = (await reader.take(size)).slice();
  const passed = await reader.skip(padding(size));
  if (content.byteLength < size || passed < padding(size)) throw cut(where, `${size} bytes of an extended header`);
  return content;
}

function refuseUnread({ type }: TarHeader, records: ReadonlyMap<string, string>, where: string): void {
  const sparse = type === 'S' || [...records.keys()].some((key) => key.startsWith('GNU.sparse.'));
  if (!sparse && type !== 'M') return;
  const actual = sparse ? 'a sparse file, of which only parts are stored' : 'the rest of a file from another volume';
  throw tarError(
    where,
    'a file that is stored as it is',
    actual,
    'Write the tar file without --sparse or --multi-volume.',
  );
}

function sizeOf({ size, type }: TarHeader, records: ReadonlyMap<string, string>, where: string): number {
  if (WITHOUT_BYTES.has(type)) return 0;
  const told = records.get('size');
  if (told === undefined) return size;
  if (/^\d{1,15}$/.test(told)) return Number(told);
  throw tarError(where, 'a size in bytes in a pax header', JSON.stringify(told.slice(0, 40)));
}

function cut(where: string, expected: string, actual = 'the end of the file') {
  return tarError(where, expected, actual, 'The file was cut short: copy or download it again.');
}
