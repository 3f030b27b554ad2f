import { describe, expect, it } from 'vitest';
import type { Version } from './cache.ts';
import { contentRangeOf, linkedOf, retryAfterOf, sameVersion } from './headers.ts';

const version = (parts: Partial<Version>): Version => ({
  etag: undefined,
  lastModified: undefined,
  total: undefined,
  sha256: undefined,
  ...parts,
});

describe('sameVersion', () => {
  it.each<[boolean | undefined, Partial<Version>, Partial<Version>]>([
    [undefined, {}, {}],
    [undefined, { total: 5 }, { total: 5 }],
    [undefined, { etag: '"a"' }, { lastModified: 'd' }],
    [undefined, { etag: 'W/"a"' }, { etag: 'W/"a"' }],
    [true, { etag: '"a"' }, { etag: '"a"' }],
    [false, { etag: '"a"' }, { etag: '"b"' }],
    [false, { etag: '"a"', total: 5 }, { etag: '"a"', total: 6 }],
    [true, { etag: '"a"', lastModified: 'd' }, { etag: '"a"', lastModified: 'e' }],
    [true, { etag: 'W/"a"', lastModified: 'd' }, { etag: 'W/"b"', lastModified: 'd' }],
    [false, { lastModified: 'd' }, { lastModified: 'e' }],
    [true, { sha256: 'x', etag: '"a"' }, { sha256: 'x', etag: '"b"' }],
    [false, { sha256: 'x', etag: '"a"' }, { sha256: 'y', etag: '"a"' }],
  ])('%s: %j %j', (same, a, b) => {
    expect(sameVersion(version(a), version(b))).toBe(same);
    expect(sameVersion(version(b), version(a))).toBe(same);
  });
});

describe('contentRangeOf', () => {
  it.each([
    ['bytes 5-9/20', { start: 5, end: 10, total: 20 }],
    ['bytes 5-9/*', { start: 5, end: 10, total: undefined }],
    ['bytes */20', { start: undefined, end: undefined, total: 20 }],
    ['bytes 9-5/20', undefined],
    ['bytes 5-20/20', undefined],
    ['bytes 5-/20', undefined],
    ['bytes=5-9/20', undefined],
    ['items 5-9/20', undefined],
    ['bytes 5-99999999999999999999/*', undefined],
    ['', undefined],
  ])('%s', (text, range) => expect(contentRangeOf(new Headers({ 'content-range': text }))).toEqual(range));
});

describe('retryAfterOf', () => {
  const now = Date.parse('Mon, 05 Jan 2026 10:00:00 GMT');
  it.each([
    ['7', 7000],
    ['Mon, 05 Jan 2026 10:00:03 GMT', 3000],
    ['Mon, 05 Jan 2026 09:00:00 GMT', 0],
    ['soon', undefined],
    ['-1', undefined],
  ])('%s', (text, ms) => {
    expect(retryAfterOf(new Headers({ 'retry-after': text }), now)).toBe(ms);
  });
});

describe('linkedOf', () => {
  const sha256 = 'ab'.repeat(32);
  it.each([
    [
      { 'x-linked-etag': `"${sha256}"`, 'x-linked-size': '12' },
      { sha256, size: 12 },
    ],
    [{ 'x-linked-etag': `W/"${sha256.toUpperCase()}"` }, { sha256, size: undefined }],
    [
      { 'x-linked-etag': '"0123"', 'x-linked-size': '1e3' },
      { sha256: undefined, size: undefined },
    ],
    [{}, { sha256: undefined, size: undefined }],
  ])('%j', (headers, linked) => expect(linkedOf(new Headers(headers as Record<string, string>))).toEqual(linked));
});
