import { annotationError, labelFrom, lineOf, linesOf, readText, wholeNumber } from '../annotations/text.ts';
import type { SampleIndex } from '../createDataset.ts';
import { DatasetError } from '../errors.ts';
import type { Files } from '../files/files.ts';
import { insideRoot, joinPath, stemOf } from '../files/paths.ts';
import { type FrameListOptions, parseFrameList } from '../frameLists.ts';
import { type ClipEntry, checkPattern } from '../video/clipEntry.ts';

/**
 * Who reads the list.
 *
 * - `mmaction`: `path label`
 * - `slowfast`: `path`, `path label` or `path number label`; a path alone has label 0, the number is passed over. The separator
 *   is PATH_LABEL_SEPARATOR of the configuration, a space by default
 * - `uniformer`: `path,label`
 */
export type VideoListFormat = 'mmaction' | 'slowfast' | 'uniformer';

/** Options of {@link indexVideoList}. */
export interface VideoListOptions {
  readonly format: VideoListFormat;
  /** between the fields; default a space, `,` for `uniformer` */
  readonly separator?: string;
  /** names of the classes, or their number; labels are checked against it */
  readonly classes: readonly string[] | number;
  /** put before every path (PATH_PREFIX, data_prefix); default none */
  readonly folder?: string;
  /** taken off paths that begin with it: for lists whose paths are absolute, the root of the data set; default none */
  readonly stripPrefix?: string;
  readonly signal?: AbortSignal | undefined;
}

const FORMATS: Readonly<Record<VideoListFormat, { separator: string; fields: readonly number[] }>> = {
  mmaction: { separator: ' ', fields: [2] },
  slowfast: { separator: ' ', fields: [1, 2, 3] },
  uniformer: { separator: ',', fields: [2] },
};

/**
 * A list of video files with labels from 0, of Kinetics or any data set.
 *
 * @throws DatasetError `missing`; `list` for a line of another number of fields; `labels`; `path` for a file outside of the root
 */
export async function indexVideoList(
  files: Files,
  list: string,
  options: VideoListOptions,
): Promise<SampleIndex<ClipEntry>> {
  const { folder = '', stripPrefix = '' } = options;
  const { separator, fields } = {
    ...FORMATS[options.format],
    ...(options.separator && { separator: options.separator }),
  };
  const classes = namesOf(options.classes);
  const entries = linesOf(await readText(files, list, { signal: options.signal })).map(
    ({ number, text }): ClipEntry => {
      const place = lineOf(list, number);
      const parts = text.trim().split(separator);
      if (!fields.includes(parts.length) || parts.some((part) => part === '')) {
        throw annotationError(place, `${fields.join(', ')} fields separated by ${JSON.stringify(separator)}`, text, {
          code: 'list',
          hint: 'Check `format` and `separator`.',
        });
      }
      const [file = ''] = parts;
      if (parts.length === 3 && wholeNumber(parts[1]) === undefined) {
        throw annotationError(place, '<path> <number> <label>', text, { code: 'list' });
      }
      const label = parts.length === 1 ? 0 : labelFrom(parts.at(-1), classes.length, place);
      const path = joinPath(insideRoot(folder), insideRoot(withoutPrefix(file, stripPrefix)));
      return { id: stemOf(file), path, label };
    },
  );
  return { name: list, classes, entries, absent: [] };
}

function withoutPrefix(path: string, prefix: string): string {
  const folder = prefix.endsWith('/') ? prefix : `${prefix}/`;
  return prefix !== '' && path.startsWith(folder) ? path.slice(folder.length) : path;
}

/** Options of {@link indexFrameList}. */
export interface FrameListIndexOptions extends FrameListOptions {
  /** names of the frames, `%05d.jpg` for Something-Something V1, `img_%05d.jpg` for Kinetics and mmaction */
  readonly pattern: string;
  /** number of the first frame; default 1 */
  readonly first?: number;
  /** number of classes */
  readonly classes: number;
  /** names of the classes; default `class 0`, ... */
  readonly classNames?: readonly string[];
  /** put before every folder; default none */
  readonly folder?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A list `<folder> <frames> <label>` as TSN, TSM, UniFormer, mmaction and Attention-in-Attention read it.
 *
 * @throws DatasetError `missing`; `list` as {@link parseFrameList}; `option`
 */
export async function indexFrameList(
  files: Files,
  list: string,
  options: FrameListIndexOptions,
): Promise<SampleIndex<ClipEntry>> {
  const { pattern, first = 1, folder = '' } = options;
  checkPattern(pattern);
  const classes = options.classNames ?? namesOf(options.classes);
  if (classes.length !== options.classes) {
    throw new DatasetError({
      code: 'option',
      argument: 'classNames',
      expected: `${options.classes} names`,
      actual: String(classes.length),
    });
  }
  const text = await readText(files, list, { signal: options.signal });
  const entries = parseFrameList(text, options).map(({ path, frames, label }): ClipEntry => {
    const below = joinPath(insideRoot(folder), insideRoot(path));
    return { id: path.slice(path.lastIndexOf('/') + 1), path: below, label, frames: { pattern, first, count: frames } };
  });
  return { name: list, classes, entries, absent: [] };
}

function namesOf(classes: readonly string[] | number): readonly string[] {
  return typeof classes === 'number' ? Array.from({ length: classes }, (_, label) => `class ${label}`) : classes;
}
