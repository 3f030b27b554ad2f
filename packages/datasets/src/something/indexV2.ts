import * as v from 'valibot';
import { readJson } from '../annotations/json.ts';
import { annotationError, wholeNumber } from '../annotations/text.ts';
import type { SampleIndex } from '../createDataset.ts';
import type { Files } from '../files/files.ts';
import { insideRoot, joinPath } from '../files/paths.ts';
import { type ClipEntry, checkPattern, type NumberedFrames } from '../video/clipEntry.ts';
import { checkClasses } from './indexV1.ts';

/** Options of {@link indexSomethingV2}. */
export interface SomethingV2Options {
  /** `something-something-v2-train.json`, `-validation.json`, `-test.json` (or `train.json`, ... of the newer copy) */
  readonly json: string;
  /** `something-something-v2-labels.json`: class to number, written as a string */
  readonly labels: string;
  /** the folder of the clips; default `20bn-something-something-v2` */
  readonly folder?: string;
  /** for clips that were unpacked into folders `<id>` of images: their names; default: videos `<id>.webm` */
  readonly frames?: NumberedFrames;
  /** default 174 */
  readonly classCount?: number;
  readonly signal?: AbortSignal | undefined;
}

const Labels = v.record(v.string(), v.string());
const Videos = v.array(v.object({ id: v.pipe(v.string(), v.regex(/^\w+$/)), template: v.optional(v.string()) }));

/**
 * Something-Something V2. The class of a clip is its template without brackets; the JSON of labels numbers the classes, in
 * alphabetical order, and all loaders follow it.
 *
 * @throws DatasetError `missing`, `annotation`, `labels` for a template that is no class or labels that are not 0 ... K - 1
 */
export async function indexSomethingV2(files: Files, options: SomethingV2Options): Promise<SampleIndex<ClipEntry>> {
  const { json, labels, frames, signal } = options;
  const folder = insideRoot(options.folder ?? '20bn-something-something-v2');
  if (frames) checkPattern(frames.pattern);
  const classes = await readLabels(files, labels, options.classCount ?? 174, signal);
  const numbers = new Map(classes.map((name, label) => [name, label]));
  const videos = await readJson(files, json, Videos, { signal });
  const entries = videos.map(({ id, template }, position): ClipEntry => {
    const label = template === undefined ? -1 : numbers.get(template.replace(/[[\]]/g, ''));
    if (label === undefined) {
      throw annotationError(`${json}, ${position}.template`, `one of the ${classes.length} classes`, template ?? '', {
        code: 'labels',
      });
    }
    const path = joinPath(folder, frames ? id : `${id}.webm`);
    return { id, path, label, ...(frames && { frames }) };
  });
  return { name: json, classes, entries, absent: [] };
}

async function readLabels(
  files: Files,
  source: string,
  count: number,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const byName = Object.entries(await readJson(files, source, Labels, { signal }));
  const classes = new Array<string>(byName.length);
  for (const [name, number] of byName) {
    const label = wholeNumber(number);
    if (label === undefined || label >= byName.length || classes[label] !== undefined) {
      throw annotationError(`${source}, ${name}`, `a number from 0 to ${byName.length - 1}, each once`, number, {
        code: 'labels',
      });
    }
    classes[label] = name;
  }
  checkClasses(classes, count, source);
  return classes;
}
