import { annotationError, lineOf, linesOf } from '../annotations/text.ts';

const LINE = /^\s*Clabel\s*:\s*(\d{1,4})\s*;\s*set\s*:\s*\d+\s*;\s*Glabel\s*:\s*\d+\s*;\s*(\S.*?)\s*$/;

/**
 * Names of the classes out of a file of categories, whose columns are padded with any number of spaces:
 * `Clabel:   0; set:  1; Glabel:   1; (VT) round-off, flic-flac on, ...`.
 *
 * @returns `classes[Clabel]`
 * @throws DatasetError `annotation` for another line, `labels` for numbers that are not 0 ... K - 1
 */
export function parseCategories(text: string, source: string): string[] {
  const lines = linesOf(text);
  const classes: (string | undefined)[] = new Array(lines.length).fill(undefined);
  for (const { number, text: line } of lines) {
    const [, label, name] = LINE.exec(line) ?? [];
    const place = lineOf(source, number);
    if (name === undefined) throw annotationError(place, 'Clabel: <n>; set: <n>; Glabel: <n>; <name>', line);
    if (Number(label) >= lines.length || classes[Number(label)] !== undefined) {
      throw annotationError(place, `numbers from 0 to ${lines.length - 1}, each once`, line, { code: 'labels' });
    }
    classes[Number(label)] = name;
  }
  return classes as string[];
}
