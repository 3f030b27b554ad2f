import { annotationError, labelFrom, lineOf, linesOf, readText, wholeNumber } from '../annotations/text.ts';
import type { SampleIndex } from '../createDataset.ts';
import type { Files } from '../files/files.ts';
import { insideRoot, joinPath } from '../files/paths.ts';
import type { ClipEntry } from '../video/clipEntry.ts';

/** A clip of EGTEA Gaze+. */
export interface EgteaEntry extends ClipEntry {
  /** 0-based; the file counts from 1; undefined for lists without verbs */
  readonly verb: number | undefined;
  /** 0-based, one or more; the file counts from 1 */
  readonly nouns: readonly number[];
}

/** Options of {@link indexEgtea}. */
export interface EgteaOptions {
  /** `train_split1.txt` ... `test_split3.txt` of `action_annotation.zip`: lines `clip action verb noun ...` */
  readonly list: string;
  /** `action_idx.txt`: lines `Take plate 7`, the number of the action last */
  readonly actions: string;
  /** default `cropped_clips` */
  readonly folder?: string;
  /** default 106 */
  readonly classCount?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * EGTEA Gaze+: clips `<folder>/<session>/<session>-<start ms>-<end ms>-F<start frame>-F<end frame>.mp4`. All numbers of the lists
 * count from 1; labels here count from 0.
 *
 * @throws DatasetError `missing`, `annotation`, `labels` for an action that `action_idx.txt` does not have
 */
export async function indexEgtea(files: Files, options: EgteaOptions): Promise<SampleIndex<EgteaEntry>> {
  const { list, actions, classCount = 106, signal } = options;
  const folder = insideRoot(options.folder ?? 'cropped_clips');
  const classes = parseActions(await readText(files, actions, { signal }), actions, classCount);
  const entries = linesOf(await readText(files, list, { signal })).map(({ number, text }): EgteaEntry => {
    const place = lineOf(list, number);
    const [id = '', action, ...parts] = text.trim().split(/\s+/);
    const others = parts.map((part) => wholeNumber(part) ?? 0);
    const session = /^([\w-]+)-\d+-\d+-F\d+-F\d+$/.exec(id)?.[1];
    if (session === undefined || others.some((other) => other < 1)) {
      throw annotationError(place, '<session>-<ms>-<ms>-F<frame>-F<frame> <action> <verb> <noun> ...', text);
    }
    const [verb, ...nouns] = others.map((other) => other - 1);
    return {
      id,
      path: joinPath(folder, session, `${id}.mp4`),
      label: labelFrom(action, classCount, place, 1),
      verb,
      nouns,
    };
  });
  return { name: list, classes, entries, absent: [] };
}

/** Lines `<name with spaces> <number>`, in any order. */
function parseActions(text: string, source: string, count: number): string[] {
  const classes: (string | undefined)[] = new Array(count).fill(undefined);
  for (const { number, text: line } of linesOf(text)) {
    const place = lineOf(source, number);
    const [, name, field] = /^(.+?)\s+(\S+)$/.exec(line.trim()) ?? [];
    if (name === undefined) throw annotationError(place, '<name> <number>', line);
    const label = labelFrom(field, count, place, 1);
    if (classes[label] !== undefined) throw annotationError(place, 'each number once', line, { code: 'labels' });
    classes[label] = name;
  }
  return classes.map((name, label) => {
    if (name === undefined)
      throw annotationError(source, `${count} actions`, `none of number ${label + 1}`, { code: 'labels' });
    return name;
  });
}
