import { annotationError, labelFrom, lineOf, streamLines } from '../annotations/text.ts';
import type { SampleIndex } from '../createDataset.ts';
import { DatasetError } from '../errors.ts';
import type { Files } from '../files/files.ts';
import { insideRoot, joinPath } from '../files/paths.ts';
import type { ClipEntry } from '../video/clipEntry.ts';
import { FrameRun } from './frameRun.ts';

/** Options of {@link indexFramePaths}. */
export interface FramePathsOptions {
  /** put before every path (PATH_PREFIX); default none */
  readonly folder?: string;
  /** names of the classes */
  readonly classes: readonly string[];
  /**
   * label of each video by its `original_vido_id`, for lists whose last column is empty. SlowFast takes those of the JSON: pass
   * the index that {@link indexSomethingV2} made. Videos that it lacks are left out and in `absent`, as in SlowFast.
   */
  readonly labels?: SampleIndex;
  readonly signal?: AbortSignal | undefined;
  /** called with bytes read and bytes in all */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const HEADER = 'original_vido_id';
const COLUMNS = 'original_vido_id video_id frame_id path labels';

/**
 * SlowFast's frame lists: a header `original_vido_id video_id frame_id path labels` (the misspelling is part of the format), then
 * a line for each frame, `labels` a number in quotes or `""`. SlowFast uses it for Something-Something V2, at 30 frames a second.
 *
 * The list of a train split has many millions of lines: it is read as a stream, and a clip whose frames are numbered in a row
 * is kept as a pattern.
 *
 * @throws DatasetError `missing`; `list` for other lines; `labels` for a label that the classes do not have, a clip without one
 *   or with several; `path`
 */
export async function indexFramePaths(
  files: Files,
  list: string,
  options: FramePathsOptions,
): Promise<SampleIndex<ClipEntry>> {
  const { classes, signal } = options;
  const folder = insideRoot(options.folder ?? '');
  const known = options.labels && new Map(options.labels.entries.map(({ id, label }) => [id, label]));
  const clips = new Map<string, FrameRun>();
  const file = await files.open(list);
  let headed = false;
  let bytes = 0;
  try {
    for await (const { number, text } of streamLines(file, list, { signal })) {
      const place = lineOf(list, number);
      bytes += text.length + 1;
      if (!headed) {
        if (!text.startsWith(HEADER)) throw annotationError(place, `the header ${COLUMNS}`, text, { code: 'list' });
        headed = true;
        continue;
      }
      const fields = text.trim().split(/\s+/);
      const [id = '', , , path = '', labels = ''] = fields;
      if (fields.length !== 5) throw annotationError(place, `five fields, ${COLUMNS}`, text, { code: 'list' });
      const below = joinPath(folder, insideRoot(path));
      const run = clips.get(id);
      const label = labelOf(labels.replaceAll('"', ''), known?.get(id), classes.length, place);
      if (run === undefined) clips.set(id, new FrameRun(below, label));
      else run.add(below, label, place);
      if (number % 100_000 === 0) options.onProgress?.(bytes, file.size);
    }
  } finally {
    await file.close();
  }
  if (!headed) throw annotationError(list, `the header ${COLUMNS}`, '', { code: 'list' });
  return collect(list, clips, options);
}

function labelOf(field: string, known: number | undefined, classes: number, place: string): number | undefined {
  if (field === '') return known;
  if (field.includes(',')) {
    throw annotationError(place, 'one label', field, {
      code: 'labels',
      hint: 'Several labels a clip are not read here.',
    });
  }
  return labelFrom(field, classes, place);
}

function collect(
  list: string,
  clips: ReadonlyMap<string, FrameRun>,
  { classes, labels }: FramePathsOptions,
): SampleIndex<ClipEntry> {
  const entries: ClipEntry[] = [];
  const absent: ClipEntry[] = [];
  for (const [id, run] of clips) {
    if (run.label === undefined && labels === undefined) {
      throw new DatasetError({
        code: 'labels',
        argument: `${list}, clip ${id}`,
        expected: 'a label in the last column',
        actual: 'none',
        hint: 'Pass the index of the JSON annotation in `labels`.',
      });
    }
    const { path, frames } = run;
    if (run.label === undefined) absent.push({ id, path, label: -1, frames });
    else entries.push({ id, path, label: run.label, frames });
  }
  return { name: list, classes, entries, absent };
}
