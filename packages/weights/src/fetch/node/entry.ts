import { randomBytes } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Placement, StoredWeights } from '../cache.ts';
import { isSha256 } from '../options.ts';
import { ifThere } from './ioErrors.ts';
import { count, readJson, text, writeJson } from './jsonFile.ts';
import type { Layout } from './layout.ts';
import { StoredFile } from './storedFile.ts';

/** Changes when older versions of this package could not read it any more. */
const FORMAT = 1;

/**
 * The entry of a cache, if it is of the right form and its file is there and has the right size. The time of its last
 * change is the time of its last use.
 */
export async function readEntry(layout: Layout, id: string): Promise<StoredWeights | undefined> {
  const json = await readJson(layout.entry(id));
  const { format, url, sha256, size, etag, lastModified, storedAt } = json ?? {};
  const bytes = count(size);
  const stored = new Date(text(storedAt) ?? '');
  if (format !== FORMAT || typeof url !== 'string' || !isSha256(sha256) || bytes === undefined) return undefined;
  if (Number.isNaN(stored.getTime())) return undefined;
  // Nothing in the entry but a hash goes into a path.
  const path = layout.file(sha256);
  const [file, entry] = await Promise.all([ifThere(stat(path)), ifThere(stat(layout.entry(id)))]);
  if (entry === undefined || !file?.isFile() || file.size !== bytes) return undefined;
  return {
    id,
    url,
    sha256,
    size: bytes,
    etag: text(etag),
    lastModified: text(lastModified),
    storedAt: stored,
    usedAt: entry.mtime,
    source: new StoredFile(path, bytes),
    path,
  };
}

export async function writeEntry(
  layout: Layout,
  id: string,
  { url, sha256, size, etag, lastModified }: Placement & { readonly size: number },
): Promise<StoredWeights> {
  const storedAt = new Date();
  const temporary = join(layout.entries, `${id}.${randomBytes(16).toString('hex')}.tmp`);
  await writeJson(layout.entry(id), temporary, { format: FORMAT, url, sha256, size, etag, lastModified, storedAt });
  const path = layout.file(sha256);
  const source = new StoredFile(path, size);
  return { id, url, sha256, size, etag, lastModified, storedAt, usedAt: storedAt, source, path };
}
