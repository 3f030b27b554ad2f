import { parseTable, type TableRow } from '../annotations/table.ts';
import { annotationError, lineOf, linesOf, readText } from '../annotations/text.ts';
import type { SampleIndex } from '../createDataset.ts';
import type { SampleInfo } from '../dataset.ts';
import { DatasetError } from '../errors.ts';
import type { Files } from '../files/files.ts';
import { byCodeUnit, insideRoot, joinPath, stemOf } from '../files/paths.ts';
import type { ClipEntry } from '../video/clipEntry.ts';
import { namesIn, type PresenceOptions } from './presence.ts';

/** Options of {@link indexKinetics}. */
export interface KineticsOptions extends PresenceOptions {
  /** the official CSV, `label,youtube_id,time_start,time_end,split,is_cc`; columns are found by their names */
  readonly csv: string;
  /** the folder of the videos, such as `train` */
  readonly folder: string;
  /**
   * `classes` (default): `<folder>/<class>/<clip>`, the class written as it is, as mmaction writes it (spaces `_`, no `"`) or as
   * torchvision and TSM do (also without `'`, `(` and `)`); `flat`: `<folder>/<clip>`
   */
  readonly layout?: 'classes' | 'flat';
  /**
   * a file with the names of the classes, one a line, or a CSV of the train split. Labels are positions among the **sorted**
   * names. Default: the names in `csv`, of which there must be `classCount`: an excerpt has other labels.
   */
  readonly classes?: { readonly list: string } | { readonly csv: string };
  /**
   * By what the names are sorted:
   *
   * - `labels` (default): as the CSV has them; mmaction, TSM, SlowFast's lists and all published checkpoints we know of
   * - `torchvision`: as torchvision writes them as folders. Of the 400 classes this exchanges two, `skiing (not slalom or
   *   crosscountry)` and `skiing crosscountry`
   */
  readonly classOrder?: 'labels' | 'torchvision';
  /** default 400 */
  readonly classCount?: number;
  /** endings of videos; default mp4, webm, mkv, avi */
  readonly extensions?: readonly string[];
}

interface Row {
  readonly line: number;
  readonly label: string | undefined;
  readonly id: string;
}

/**
 * Kinetics-400, -600, -700 from their official CSV files. A clip is the file `<youtube id>_<start, 6 digits>_<end, 6 digits>`.
 *
 * Test files come with and without a column `label`; without it, or where it is empty, the label is -1 and the layout must be
 * `flat`. Copies lack videos: what is not there is in `absent`.
 *
 * @throws DatasetError `missing`, `annotation`, `labels`, `option`; the signal's reason
 */
export async function indexKinetics(files: Files, options: KineticsOptions): Promise<SampleIndex<ClipEntry>> {
  const { csv, layout = 'classes', classCount = 400, signal } = options;
  const folder = insideRoot(options.folder);
  const rows = parseRows(await readText(files, csv, { signal }), csv);
  const classes = await classNames(files, rows, options);
  if (classes.length !== classCount) throw wrongCount(options, classes.length, classCount);
  const labels = new Map(classes.map((name, label) => [name, label]));
  const find = await videoFinder(files, folder, layout, classes, options);

  const entries: ClipEntry[] = [];
  const absent: SampleInfo[] = [];
  for (const { line, label: name, id } of rows) {
    const label = name === undefined ? -1 : labels.get(name);
    if (label === undefined) {
      throw annotationError(lineOf(csv, line), `one of ${classCount} classes`, name ?? '', { code: 'labels' });
    }
    if (layout === 'classes' && name === undefined) throw needsFlat(lineOf(csv, line));
    const path = find(id, name);
    if (path === undefined) absent.push({ id, path: joinPath(folder, id), label });
    else entries.push({ id, path, label });
  }
  return { name: `Kinetics ${folder}`, classes, entries, absent };
}

/** Spellings of a class as a folder: of mmaction, of torchvision and TSM, and as it is. */
export function kineticsFolders(label: string): [mmaction: string, torchvision: string, plain: string] {
  const mmaction = label.replaceAll('"', '').replaceAll(' ', '_');
  return [mmaction, mmaction.replace(/['()]/g, ''), label];
}

function parseRows(text: string, source: string): Row[] {
  const [header, ...rows] = parseTable(text, ',', source);
  const names = header?.fields.map((field) => field.trim().toLowerCase()) ?? [];
  const column = (name: string) => names.indexOf(name);
  const [label, id, start, end] = ['label', 'youtube_id', 'time_start', 'time_end'].map(column) as [
    number,
    number,
    number,
    number,
  ];
  if (id < 0 || start < 0 || end < 0) {
    throw annotationError(lineOf(source, 1), 'the columns youtube_id, time_start, time_end', names.join(','));
  }
  return rows.map(({ line, fields }: TableRow) => {
    if (fields.length !== names.length) {
      throw annotationError(lineOf(source, line), `${names.length} columns, as the header`, fields.join(','));
    }
    const times = [fields[start], fields[end]].map((field) => seconds(field ?? '', lineOf(source, line)));
    const name = fields[label]?.trim() || undefined;
    return { line, label: name, id: `${clipId(fields[id] ?? '', lineOf(source, line))}_${times.join('_')}` };
  });
}

/** Whole seconds in six digits; some copies write 40.0. */
function seconds(field: string, place: string): string {
  if (!/^\d{1,6}(\.\d+)?$/.test(field)) throw annotationError(place, 'a time in seconds', field);
  return String(Math.trunc(Number(field))).padStart(6, '0');
}

function clipId(field: string, place: string): string {
  if (!/^[\w-]+$/.test(field)) throw annotationError(place, 'an id of YouTube (letters, digits, _ and -)', field);
  return field;
}

async function classNames(
  files: Files,
  rows: readonly Row[],
  { classes, classOrder = 'labels', signal }: KineticsOptions,
): Promise<string[]> {
  let names: readonly (string | undefined)[];
  if (classes === undefined) names = rows.map(({ label }) => label);
  else if ('csv' in classes) {
    names = parseRows(await readText(files, classes.csv, { signal }), classes.csv).map(({ label }) => label);
  } else names = linesOf(await readText(files, classes.list, { signal })).map(({ text }) => text.trim());
  const key = (name: string) => (classOrder === 'torchvision' ? kineticsFolders(name)[1] : name);
  return [...new Set(names.filter((name) => name !== undefined))].sort((a, b) => byCodeUnit(key(a), key(b)));
}

/** Looks up a clip among the files that are there. Each folder is listed once. */
async function videoFinder(
  files: Files,
  folder: string,
  layout: 'classes' | 'flat',
  classes: readonly string[],
  { extensions = ['.mp4', '.webm', '.mkv', '.avi'], signal, onProgress }: KineticsOptions,
): Promise<(id: string, label: string | undefined) => string | undefined> {
  const videosIn = async (place: string) =>
    new Map(
      (await namesIn(files, place, signal))
        .filter((name) => extensions.some((end) => name.toLowerCase().endsWith(end)))
        .map((name) => [stemOf(name), joinPath(place, name)] as const),
    );
  if (layout === 'flat') {
    const videos = await videosIn(folder);
    return (id) => videos.get(id);
  }
  const present = new Set(await namesIn(files, folder, signal));
  const byClass = new Map<string, Map<string, string>>();
  for (const [done, name] of classes.entries()) {
    const videos = new Map<string, string>();
    for (const spelling of new Set(kineticsFolders(name).filter((one) => present.has(one)))) {
      for (const [id, path] of await videosIn(joinPath(folder, spelling))) if (!videos.has(id)) videos.set(id, path);
    }
    byClass.set(name, videos);
    onProgress?.(done + 1, classes.length);
  }
  return (id, label) => byClass.get(label ?? '')?.get(id);
}

function wrongCount({ csv, classes }: KineticsOptions, actual: number, expected: number): DatasetError {
  return new DatasetError({
    code: 'labels',
    argument: classes === undefined ? csv : 'csv' in classes ? classes.csv : classes.list,
    expected: `${expected} classes`,
    actual: String(actual),
    hint: 'Labels are positions among all classes: name them in `classes`, or their number in `classCount`.',
  });
}

function needsFlat(place: string): DatasetError {
  return annotationError(place, 'a label, as videos lie in folders of classes', 'none', {
    hint: "Pass layout: 'flat' for a test split without labels.",
  });
}
