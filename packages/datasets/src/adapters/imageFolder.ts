import type { SampleIndex } from '../createDataset.ts';
import type { SampleInfo } from '../dataset.ts';
import { DatasetError } from '../errors.ts';
import type { Files } from '../files/files.ts';
import { byCodeUnit, insideRoot, joinPath, stemOf } from '../files/paths.ts';

/** The file names that torchvision's ImageFolder takes for images. */
export const IMAGE_EXTENSIONS = ['.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif', '.tiff', '.webp'] as const;

/** Options of {@link indexImageFolder}. */
export interface ImageFolderOptions {
  /** the folder whose folders are the classes; default the root */
  readonly folder?: string;
  /** endings of the files that are samples, in lower case; default {@link IMAGE_EXTENSIONS} */
  readonly extensions?: readonly string[];
  /**
   * the folders that are classes, in the order of the labels; default: all, sorted. An installation that lacks folders has
   * other labels than the full one: name the classes then.
   */
  readonly classes?: readonly string[];
  /** whether a class may be without samples; default false, as in torchvision */
  readonly allowEmpty?: boolean;
  readonly name?: string;
  readonly signal?: AbortSignal | undefined;
}

/** Deeper folders are taken for a circle of symbolic links. */
const MAX_DEPTH = 32;

/**
 * The layout of torchvision's ImageFolder: one folder a class, files anywhere below. Classes, folders and files are in the
 * order of their names, so that labels and numbers of samples equal torchvision's (for names in ASCII).
 *
 * @throws DatasetError `missing` for a folder or class that is not there or has no samples; `labels` for a folder that is not
 * among `classes`; `path`; the signal's reason
 */
export async function indexImageFolder(files: Files, options: ImageFolderOptions = {}): Promise<SampleIndex> {
  const { extensions = IMAGE_EXTENSIONS, allowEmpty = false, signal } = options;
  const root = insideRoot(options.folder ?? '');
  const found = (await files.list(root, { signal })).filter(({ kind }) => kind === 'folder').map(({ name }) => name);
  const classes = options.classes ?? found;
  const unknown = found.find((name) => !classes.includes(name));
  if (unknown !== undefined) throw unknownClass(joinPath(root, unknown), classes.length);
  const entries: SampleInfo[] = [];
  for (const [label, name] of classes.entries()) {
    const folder = joinPath(root, name);
    const paths = found.includes(name) ? await filesBelow(files, folder, extensions, signal) : [];
    if (paths.length === 0 && !allowEmpty) throw emptyClass(folder, extensions);
    for (const path of paths) entries.push({ id: stemOf(path), path, label });
  }
  if (entries.length === 0) throw emptyClass(joinPath(root, '*'), extensions);
  return { name: options.name ?? (root || 'image folder'), classes, entries, absent: [] };
}

function unknownClass(folder: string, classes: number): DatasetError {
  return new DatasetError({
    code: 'labels',
    argument: folder,
    expected: `a folder of one of the ${classes} classes`,
    actual: 'a folder that is none of them',
    hint: 'Its samples would be left out: add the class, or move the folder.',
  });
}

function emptyClass(folder: string, extensions: readonly string[]): DatasetError {
  return new DatasetError({
    code: 'missing',
    argument: folder,
    expected: `a folder of a class with files ${extensions.join(', ')}`,
    actual: 'none',
    hint: 'Check the root and `folder`; `allowEmpty` allows classes without samples.',
  });
}

/** Files below a folder; folders in the order of their paths, files in that of their names. */
async function filesBelow(
  files: Files,
  top: string,
  extensions: readonly string[],
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const folders: { path: string; samples: string[] }[] = [];
  const visit = async (path: string, depth: number): Promise<void> => {
    if (depth > MAX_DEPTH) {
      throw new DatasetError({
        code: 'path',
        argument: path,
        expected: `folders at most ${MAX_DEPTH} deep`,
        actual: 'a deeper one',
        hint: 'Is a symbolic link leading back to a folder above it?',
      });
    }
    const content = await files.list(path, { signal });
    const samples = content
      .filter(({ name, kind }) => kind === 'file' && extensions.some((end) => name.toLowerCase().endsWith(end)))
      .map(({ name }) => joinPath(path, name));
    folders.push({ path, samples });
    for (const { name, kind } of content) if (kind === 'folder') await visit(joinPath(path, name), depth + 1);
  };
  await visit(top, 0);
  return folders.sort((a, b) => byCodeUnit(a.path, b.path)).flatMap(({ samples }) => samples);
}
