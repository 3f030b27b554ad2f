import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { openFile } from '@saccade/weights/node';
import { DatasetError } from '../errors.ts';
import { DEFAULT_MAX_BYTES, type Files, type FolderEntry, missingFile, tooLarge } from './files.ts';
import { byCodeUnit, insideRoot } from './paths.ts';

/** Options of {@link nodeFiles}. */
export interface NodeFilesOptions {
  /** folders outside of the root that symbolic links may lead into, such as a disk that holds the videos; default none */
  readonly linkTargets?: readonly string[];
}

/**
 * The files below a folder on disk. A symbolic link that leads out of it is refused, unless into one of `linkTargets`.
 *
 * @throws DatasetError `missing` if the folder, or one of `linkTargets`, is not there
 */
export async function nodeFiles(root: string, { linkTargets = [] }: NodeFilesOptions = {}): Promise<Files> {
  const allowed = await Promise.all([root, ...linkTargets].map(existingFolder));
  const [top] = allowed as [string, ...string[]];

  /** The real place of a path, or undefined if nothing lies there. */
  const locate = async (path: string): Promise<string | undefined> => {
    const place = resolve(top, insideRoot(path));
    let real: string;
    try {
      real = await realpath(place);
    } catch (cause) {
      if (isAbsent(cause)) return undefined;
      throw missingFile(path, cause, messageOf(cause));
    }
    if (!allowed.some((folder) => contains(folder, real))) {
      throw new DatasetError({
        code: 'path',
        argument: path,
        expected: 'a file below the root of the data set',
        actual: 'a symbolic link that leads out of it',
        hint: 'Name the folder it leads into in `linkTargets`, if that is meant.',
      });
    }
    return real;
  };
  const existing = async (path: string): Promise<string> => {
    const place = await locate(path);
    if (place === undefined) throw missingFile(path);
    return place;
  };

  return {
    async list(folder, { signal } = {}) {
      signal?.throwIfAborted();
      const place = await existing(folder);
      const found = await reading(folder, () => readdir(place, { withFileTypes: true }));
      const entries = await Promise.all(
        found.map(async (entry): Promise<FolderEntry> => {
          // What a link points to counts; one that leads nowhere is listed and fails when it is read.
          const folderLike = entry.isSymbolicLink()
            ? await stat(resolve(place, entry.name)).then(
                (target) => target.isDirectory(),
                () => false,
              )
            : entry.isDirectory();
          return { name: entry.name, kind: folderLike ? 'folder' : 'file' };
        }),
      );
      return entries.sort((a, b) => byCodeUnit(a.name, b.name));
    },
    async stat(path) {
      const place = await locate(path);
      if (place === undefined) return undefined;
      const found = await reading(path, () => stat(place));
      return found.isDirectory() ? { kind: 'folder', size: 0 } : { kind: 'file', size: found.size };
    },
    async read(path, { maxBytes = DEFAULT_MAX_BYTES, signal } = {}) {
      const place = await existing(path);
      const { size } = await reading(path, () => stat(place));
      if (size > maxBytes) throw tooLarge(path, size, maxBytes);
      // A Buffer is a Uint8Array whose `slice` does not copy: hand out the plain kind.
      const bytes = await reading(path, () => readFile(place, { signal }), signal);
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    async open(path) {
      const place = await existing(path);
      return reading(path, () => openFile(place));
    },
  };
}

async function existingFolder(path: string): Promise<string> {
  return reading(path, async () => {
    if (!(await stat(path)).isDirectory()) throw new Error('this is no folder');
    return realpath(path);
  });
}

function contains(folder: string, path: string): boolean {
  const way = relative(folder, path);
  // Between two drives of Windows there is no relative way.
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

async function reading<T>(path: string, action: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    signal?.throwIfAborted();
    throw missingFile(path, cause, messageOf(cause));
  }
}

function isAbsent(cause: unknown): boolean {
  const code = (cause as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
