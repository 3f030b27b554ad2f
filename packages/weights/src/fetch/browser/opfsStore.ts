import { FetchWeightsError } from '../errors.ts';
import { type BlobStore, inStore } from './blobStore.ts';

const FOLDER = 'saccade-weights';

/**
 * The files that a site has for itself (origin private file system). A Blob from it is a file on disk, of which only what
 * is asked for is read.
 *
 * @throws FetchWeightsError CacheUnavailable where it is missing, cannot be written from a page (older Safari), or is
 *   closed (some private windows)
 */
export async function opfsStore(): Promise<BlobStore> {
  if (!('FileSystemFileHandle' in globalThis) || !('createWritable' in FileSystemFileHandle.prototype)) {
    throw unavailable('this browser cannot write files of its own, or the page is not a secure context');
  }
  let folder: FileSystemDirectoryHandle;
  try {
    const root = await navigator.storage.getDirectory();
    folder = await root.getDirectoryHandle(FOLDER, { create: true });
  } catch (cause) {
    throw unavailable(String(cause), { cause });
  }
  return {
    read: (name) =>
      inStore(async () => {
        try {
          return await (await folder.getFileHandle(name)).getFile();
        } catch (error) {
          return ignoreMissing(error);
        }
      }),
    write: (name, content) =>
      inStore(async () => {
        const file = await folder.getFileHandle(name, { create: true });
        // What is written goes to a copy, which takes the place of the file when it is closed.
        const writable = await file.createWritable();
        try {
          await writable.write(content);
          await writable.close();
        } catch (error) {
          // The first failure is the one to report.
          await writable.abort().catch(() => undefined);
          throw error;
        }
      }),
    remove: (name) => inStore(() => folder.removeEntry(name).catch(ignoreMissing)),
    names: () =>
      inStore(async () => {
        const names: string[] = [];
        for await (const name of folder.keys()) names.push(name);
        return names;
      }),
  };
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && error.name === 'NotFoundError') return undefined;
  throw error;
}

function unavailable(reason: string, options?: ErrorOptions): FetchWeightsError {
  return new FetchWeightsError(
    'CacheUnavailable',
    `there is no origin private file system here: ${reason}. Use cacheApiCache() or memoryCache().`,
    options,
  );
}
