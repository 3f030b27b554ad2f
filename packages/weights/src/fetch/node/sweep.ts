import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifThere } from './ioErrors.ts';
import { readJson } from './jsonFile.ts';
import { ENTRY_NAME, FILE_NAME, idsOf, type Layout, OWNED_NAME, PARTIAL_NAME, TEMPORARY_NAME } from './layout.ts';
import { LockFile, type LockTiming } from './lockFile.ts';

/** What nobody finished within this time, nobody will: a file without entry, an entry half written. */
const LONGEST_PLACING_MS = 3_600_000;

/** After this, a cut download is not resumed any more. */
const LONGEST_PAUSE_MS = 7 * 24 * 3_600_000;

/** Removes what crashes and forgotten downloads left. */
export async function sweep(layout: Layout, timing: LockTiming): Promise<void> {
  const now = Date.now();
  for (const name of await readdir(layout.entries)) {
    if (TEMPORARY_NAME.test(name)) await removeIfOlder(join(layout.entries, name), now - LONGEST_PLACING_MS);
  }
  // First the files and then the entries: one that is placed meanwhile is young.
  const files = idsOf(await readdir(layout.files), FILE_NAME);
  const used = new Set<unknown>();
  for (const id of idsOf(await readdir(layout.entries), ENTRY_NAME))
    used.add((await readJson(layout.entry(id)))?.sha256);
  for (const sha256 of files) {
    if (!used.has(sha256)) await removeIfOlder(layout.file(sha256), now - LONGEST_PLACING_MS);
  }
  for (const name of await readdir(layout.partials)) {
    const [, id] = OWNED_NAME.exec(name) ?? [];
    if (id === undefined) continue;
    const stats = await ifThere(stat(join(layout.partials, name)));
    if (stats && stats.mtimeMs < now - LONGEST_PAUSE_MS) await removePartials(layout, id, timing);
  }
}

/** Removes all that cut downloads of a file left, unless somebody is downloading it. */
export async function removePartials(layout: Layout, id: string, timing: LockTiming): Promise<void> {
  const names = ((await ifThere(readdir(layout.partials))) ?? []).filter((name) => PARTIAL_NAME.exec(name)?.[1] === id);
  if (names.length === 0) return;
  const lock = await LockFile.tryAcquire(layout.lock(id), timing);
  if (lock === undefined) return;
  try {
    for (const name of names) {
      if (!name.endsWith('.lock')) await rm(join(layout.partials, name), { force: true });
    }
  } finally {
    await lock.release();
  }
}

async function removeIfOlder(path: string, time: number): Promise<void> {
  const stats = await ifThere(stat(path));
  if (stats && stats.mtimeMs < time) await rm(path, { force: true });
}
