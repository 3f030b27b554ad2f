import { DEFAULT_MAX_BYTES, type Files, type FolderEntry, missingFile, tooLarge } from './files.ts';
import { byCodeUnit, insideRoot } from './paths.ts';

/**
 * Files that are given one by one: what a user chose with `<input type="file" webkitdirectory>`, or what lies in memory.
 *
 * @param entries path below the root, and the file. A FileList gives them by
 *   `Array.from(list, (file) => [file.webkitRelativePath, file])`.
 * @throws DatasetError `path` for a path that leaves the root
 */
export function blobFiles(entries: Iterable<readonly [path: string, blob: Blob]>): Files {
  const blobs = new Map(Array.from(entries, ([path, blob]) => [insideRoot(path), blob] as const));
  const folders = foldersOf(blobs.keys());
  const find = (path: string): Blob => {
    const blob = blobs.get(insideRoot(path));
    if (blob === undefined) throw missingFile(path);
    return blob;
  };
  return {
    async list(folder) {
      const found = folders.get(insideRoot(folder));
      if (found === undefined) throw missingFile(folder, undefined, 'no such folder');
      return [...found].map(([name, kind]): FolderEntry => ({ name, kind })).sort((a, b) => byCodeUnit(a.name, b.name));
    },
    async stat(path) {
      const inside = insideRoot(path);
      const blob = blobs.get(inside);
      if (blob !== undefined) return { kind: 'file', size: blob.size };
      return folders.has(inside) ? { kind: 'folder', size: 0 } : undefined;
    },
    async read(path, { maxBytes = DEFAULT_MAX_BYTES, signal } = {}) {
      signal?.throwIfAborted();
      const blob = find(path);
      if (blob.size > maxBytes) throw tooLarge(path, blob.size, maxBytes);
      return new Uint8Array(await blob.arrayBuffer());
    },
    async open(path) {
      const blob = find(path);
      return {
        size: blob.size,
        read: async (start, end) => new Uint8Array(await blob.slice(start, end).arrayBuffer()),
        close: async () => undefined,
      };
    },
  };
}

/** The folders that the paths of files imply, with what lies in each. */
function foldersOf(paths: Iterable<string>): Map<string, Map<string, FolderEntry['kind']>> {
  const folders = new Map<string, Map<string, FolderEntry['kind']>>([['', new Map()]]);
  for (const path of paths) {
    const parts = path.split('/');
    parts.forEach((name, depth) => {
      const folder = parts.slice(0, depth).join('/');
      const content = folders.get(folder) ?? new Map<string, FolderEntry['kind']>();
      content.set(name, depth === parts.length - 1 ? 'file' : 'folder');
      folders.set(folder, content);
    });
  }
  return folders;
}
