import { parseTable } from '../annotations/table.ts';
import { annotationError, lineOf, linesOf, readText } from '../annotations/text.ts';
import type { SampleIndex } from '../createDataset.ts';
import { DatasetError } from '../errors.ts';
import type { Files } from '../files/files.ts';
import { byCodeUnit, insideRoot, joinPath } from '../files/paths.ts';
import type { ClipEntry } from '../video/clipEntry.ts';

/** Options of {@link indexSomethingV1}. */
export interface SomethingV1Options {
  /** `something-something-v1-train.csv`, `-validation.csv`: lines `id;label`; `-test.csv`: lines `id` */
  readonly csv: string;
  /** `something-something-v1-labels.csv`: one class a line, 174 of them */
  readonly labels: string;
  /**
   * Which number a class has. **Checkpoints differ in it**, and with the wrong order a good model is at chance:
   *
   * - `labels`: its line in the file of labels, as mmaction counts
   * - `alphabetical`: its place among the sorted names, as TRN, TSM, UniFormer's lists and Attention-in-Attention count
   */
  readonly classOrder: 'labels' | 'alphabetical';
  /** the folder of the clips' folders; default `20bn-something-something-v1` */
  readonly folder?: string;
  /** default 174 */
  readonly classCount?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Something-Something V1: clips as folders `<id>` of images `00001.jpg`, ...
 *
 * @throws DatasetError `missing`, `annotation`, `labels` for a class that the file of labels lacks, `option`
 */
export async function indexSomethingV1(files: Files, options: SomethingV1Options): Promise<SampleIndex<ClipEntry>> {
  const { csv, labels, classCount = 174, signal } = options;
  const folder = insideRoot(options.folder ?? '20bn-something-something-v1');
  // Some names hold a comma: this file has lines, not columns.
  const lines = linesOf(await readText(files, labels, { signal })).map(({ text }) => text.trim());
  checkClasses(lines, classCount, labels);
  const classes = ordered(lines, options.classOrder);
  const numbers = new Map(classes.map((name, label) => [name, label]));
  const rows = parseTable(await readText(files, csv, { signal }), ';', csv);
  const columns = rows[0]?.fields.length ?? 0;
  const entries = rows.map(({ line, fields }): ClipEntry => {
    const place = lineOf(csv, line);
    const [id = '', name] = fields.map((field) => field.trim());
    if (fields.length > 2 || fields.length !== columns || !/^\w+$/.test(id)) {
      throw annotationError(place, columns === 1 ? '<id>' : '<id>;<label>', fields.join(';'));
    }
    const label = name === undefined ? -1 : numbers.get(name);
    if (label === undefined) {
      throw annotationError(place, `one of the ${classCount} classes`, name ?? '', { code: 'labels' });
    }
    return { id, path: joinPath(folder, id), label, frames: { pattern: '%05d.jpg' } };
  });
  return { name: csv, classes, entries, absent: [] };
}

function ordered(lines: readonly string[], order: string): readonly string[] {
  if (order === 'labels') return lines;
  if (order === 'alphabetical') return [...lines].sort(byCodeUnit);
  throw new DatasetError({
    code: 'option',
    argument: 'classOrder',
    expected: "'labels' (mmaction) or 'alphabetical' (TSM, UniFormer, Attention-in-Attention)",
    actual: JSON.stringify(order),
    hint: 'There is no default: take the order that your checkpoint was trained with.',
  });
}

/** @throws DatasetError `labels` for another number of classes, or one that is there twice */
export function checkClasses(names: readonly string[], count: number, source: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (names.length === count && twice === undefined) return;
  throw new DatasetError({
    code: 'labels',
    argument: source,
    expected: `${count} classes, each once`,
    actual: twice === undefined ? String(names.length) : `${JSON.stringify(twice)} twice`,
    hint: 'Is this the file of labels of the same data set? `classCount` allows for another number.',
  });
}
