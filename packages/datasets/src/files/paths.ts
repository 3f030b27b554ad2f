import { DatasetError } from '../errors.ts';

/** Absolute paths, drive letters and `..` name files that no data set has. */
export function leavesRoot(path: string): boolean {
  return /^[\\/]|^[A-Za-z]:/.test(path) || path.split(/[\\/]/).includes('..');
}

/**
 * A path below the root in one spelling: parts joined by `/`, without `.` and empty parts; `''` is the root itself.
 *
 * @throws DatasetError `path` for a path that leaves the root, or that no file system takes
 */
export function insideRoot(path: string): string {
  if (leavesRoot(path) || path.includes('\0')) {
    throw new DatasetError({
      code: 'path',
      argument: 'path',
      expected: 'a path below the root of the data set, without ".."',
      actual: JSON.stringify(path.length > 200 ? `${path.slice(0, 200)}...` : path),
      hint: 'Give the root that all files lie below, and paths relative to it.',
    });
  }
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

/** Parts joined to a path; empty parts are left out. */
export function joinPath(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('/');
}

/** The last part of a path. */
function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The last part of a path without its extension. */
export function stemOf(path: string): string {
  const name = baseName(path);
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(0, dot) : name;
}

/** Order of UTF-16 code units, which for names in ASCII is the order of Python's `sorted`. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
