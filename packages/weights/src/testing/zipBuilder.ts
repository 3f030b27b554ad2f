import { deflateRawSync } from 'node:zlib';
import { crc32 } from '../zip/crc32.ts';

/** One entry of a test archive, and the lies it tells. */
export interface TestEntry {
  readonly name: string | Uint8Array;
  readonly bytes?: Uint8Array;
  readonly deflate?: boolean;
  readonly flags?: number;
  readonly extra?: Uint8Array;
  /** Fields of the entry's own header that differ from the directory. */
  readonly local?: {
    name?: string;
    flags?: number;
    method?: number;
    size?: number;
    compressedSize?: number;
    crc?: number;
  };
  /** Fields of the directory that differ from the truth. */
  readonly central?: {
    method?: number;
    size?: number;
    compressedSize?: number;
    crc?: number;
    offset?: number;
    disk?: number;
    extra?: Uint8Array;
  };
  /** Bytes between this entry and the next. */
  readonly gap?: number;
}

export interface TestArchive {
  readonly prefix?: Uint8Array;
  readonly comment?: Uint8Array;
  readonly suffix?: Uint8Array;
  /** Fields of the end record that differ from the truth. */
  readonly end?: { count?: number; length?: number; start?: number; disk?: number; commentLength?: number };
  /** Whether there is a 64-bit end record, and its lies. */
  readonly wide?: { count?: number; length?: number; start?: number; position?: number };
}

function little(...fields: [bytes: number, value: number][]): Uint8Array {
  const out: number[] = [];
  for (const [bytes, value] of fields) {
    for (let i = 0, rest = BigInt(value); i < bytes; i++, rest >>= 8n) out.push(Number(rest & 0xffn));
  }
  return Uint8Array.from(out);
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A zip archive, honest unless told otherwise. */
export function zipOf(entries: readonly TestEntry[], archive: TestArchive = {}): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [archive.prefix ?? new Uint8Array(0)];
  const directory: Uint8Array[] = [];
  let at = parts[0]!.length;
  for (const {
    name,
    bytes = new Uint8Array(0),
    deflate,
    flags = 0,
    extra = new Uint8Array(0),
    local,
    central,
    gap,
  } of entries) {
    const nameBytes = typeof name === 'string' ? new TextEncoder().encode(name) : name;
    const data = deflate ? new Uint8Array(deflateRawSync(bytes)) : bytes;
    const truth = {
      flags,
      method: deflate ? 8 : 0,
      size: bytes.length,
      compressedSize: data.length,
      crc: crc32(bytes),
    };
    const own = { ...truth, ...local };
    const ownName = local?.name === undefined ? nameBytes : new TextEncoder().encode(local.name);
    const entry = joined(
      little([4, 0x04034b50], [2, 20], [2, own.flags], [2, own.method], [4, 0], [4, own.crc]),
      little([4, own.compressedSize], [4, own.size], [2, ownName.length], [2, extra.length]),
      ownName,
      extra,
      data,
      new Uint8Array(gap ?? 0),
    );
    const listed = { ...truth, offset: at, disk: 0, extra: new Uint8Array(0), ...central };
    directory.push(
      little([4, 0x02014b50], [2, 20], [2, 20], [2, listed.flags], [2, listed.method], [4, 0], [4, listed.crc]),
      little([4, listed.compressedSize], [4, listed.size], [2, nameBytes.length], [2, listed.extra.length], [2, 0]),
      little([2, listed.disk], [2, 0], [4, 0], [4, listed.offset]),
      nameBytes,
      listed.extra,
    );
    parts.push(entry);
    at += entry.length;
  }
  const list = joined(...directory);
  const truth = { count: entries.length, length: list.length, start: at, disk: 0 };
  const end = { ...truth, commentLength: archive.comment?.length ?? 0, ...archive.end };
  const wide = { ...truth, position: at + list.length, ...archive.wide };
  const wideParts = [
    little([4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0], [8, wide.count], [8, wide.count]),
    little([8, wide.length], [8, wide.start]),
    little([4, 0x07064b50], [4, 0], [8, wide.position], [4, 1]),
  ];
  return joined(
    ...parts,
    list,
    ...(archive.wide === undefined ? [] : wideParts),
    little(
      [4, 0x06054b50],
      [2, end.disk],
      [2, end.disk],
      [2, end.count],
      [2, end.count],
      [4, end.length],
      [4, end.start],
    ),
    little([2, end.commentLength]),
    archive.comment ?? new Uint8Array(0),
    archive.suffix ?? new Uint8Array(0),
  );
}
