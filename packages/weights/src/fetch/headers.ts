import type { Version } from './cache.ts';
import { isSha256 } from './options.ts';

/** What the server says about a file apart from its bytes. */
export interface Linked {
  /** SHA-256 of the file. */
  readonly sha256: string | undefined;
  readonly size: number | undefined;
}

/** The hub redirects to where a large file lies, and says on the way which it is. */
export function linkedOf(headers: Headers): Linked {
  const etag = unquoted(headers.get('x-linked-etag'));
  return { sha256: isSha256(etag) ? etag : undefined, size: integer(headers.get('x-linked-size')) };
}

/** Whether the body is the file itself. A compressed one has other sizes and other offsets. */
export function isPlain(headers: Headers): boolean {
  return (headers.get('content-encoding') ?? 'identity').trim().toLowerCase() === 'identity';
}

/** What a complete answer (status 200) says about its file. */
export function versionOf(headers: Headers, linked: Linked): Version {
  return {
    etag: headers.get('etag') ?? undefined,
    lastModified: headers.get('last-modified') ?? undefined,
    total: (isPlain(headers) ? integer(headers.get('content-length')) : undefined) ?? linked.size,
    sha256: linked.sha256,
  };
}

/**
 * Whether two descriptions are of the same bytes: by their hashes, else strong ETags, else dates, whichever both name.
 * Undefined if there is nothing to compare.
 */
export function sameVersion(a: Version, b: Version): boolean | undefined {
  if (a.total !== undefined && b.total !== undefined && a.total !== b.total) return false;
  const pairs = [
    [a.sha256, b.sha256],
    [strong(a.etag), strong(b.etag)],
    [a.lastModified, b.lastModified],
  ] as const;
  const both = pairs.find(([one, other]) => one !== undefined && other !== undefined);
  return both && both[0] === both[1];
}

/**
 * What to put into If-Range: only a strong ETag promises the same bytes; a date does it as well as it can.
 * Undefined if there is neither.
 */
export function ifRangeOf({ etag, lastModified }: Version): string | undefined {
  return strong(etag) ?? lastModified;
}

/** The part that an answer of status 206 brings, or that one of 416 refuses: `bytes 5-9/20`, `bytes *\/20`. */
export interface ContentRange {
  readonly start: number | undefined;
  /** Exclusive. */
  readonly end: number | undefined;
  readonly total: number | undefined;
}

/** Undefined if the header is missing (or hidden from a browser) or makes no sense. */
export function contentRangeOf(headers: Headers): ContentRange | undefined {
  const match = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+|\*)$/.exec(headers.get('content-range')?.trim() ?? '');
  if (match === null) return undefined;
  const [start, last] = [integer(match[1]), integer(match[2])];
  const total = integer(match[3]);
  if (match[1] === undefined) return { start: undefined, end: undefined, total };
  if (start === undefined || last === undefined || last < start || last >= (total ?? Number.POSITIVE_INFINITY)) {
    return undefined;
  }
  return { start, end: last + 1, total };
}

/** Milliseconds, from a number of seconds or a date. */
export function retryAfterOf(headers: Headers, now = Date.now()): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  const seconds = integer(text);
  if (seconds !== undefined) return 1000 * seconds;
  // Date.parse takes many a number for a year.
  const date = /[a-z]{3}/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** A weak ETag says that two files mean the same, not that their bytes are. */
function strong(etag: string | undefined): string | undefined {
  return etag?.startsWith('"') ? etag : undefined;
}

function integer(text: string | null | undefined): number | undefined {
  if (text == null || !/^\d+$/.test(text.trim())) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

function unquoted(text: string | null): string | undefined {
  return text
    ?.trim()
    .replace(/^(?:W\/)?"(.*)"$/, '$1')
    .toLowerCase();
}
