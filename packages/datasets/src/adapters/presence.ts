import type { SampleIndex } from '../createDataset.ts';
import type { SampleInfo } from '../dataset.ts';
import { DatasetError } from '../errors.ts';
import type { Files } from '../files/files.ts';

/** Options of looking for files. */
export interface PresenceOptions {
  readonly signal?: AbortSignal | undefined;
  /** called after each folder that was listed */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/**
 * The same index with the samples whose files are not there moved to `absent`.
 *
 * Copies of a data set differ: of Kinetics, videos vanish. Each folder is listed once.
 *
 * @throws DatasetError `path`; the signal's reason
 */
export async function checkPresence<E extends SampleInfo>(
  index: SampleIndex<E>,
  files: Files,
  { signal, onProgress }: PresenceOptions = {},
): Promise<SampleIndex<E>> {
  const folders = new Set(index.entries.map(({ path }) => folderOf(path)));
  const present = new Set<string>();
  let done = 0;
  for (const folder of folders) {
    for (const name of await namesIn(files, folder, signal)) present.add(folder === '' ? name : `${folder}/${name}`);
    onProgress?.(++done, folders.size);
  }
  const absent = index.entries.filter(({ path }) => !present.has(path));
  return {
    ...index,
    entries: index.entries.filter(({ path }) => present.has(path)),
    absent: [...index.absent, ...absent],
  };
}

/** The names in a folder; none if it is not there. */
export async function namesIn(files: Files, folder: string, signal?: AbortSignal): Promise<string[]> {
  try {
    return (await files.list(folder, { signal })).map(({ name }) => name);
  } catch (error) {
    if (error instanceof DatasetError && error.code === 'missing') return [];
    throw error;
  }
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}
