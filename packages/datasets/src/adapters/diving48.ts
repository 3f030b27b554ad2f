import * as v from 'valibot';
import { readJson } from '../annotations/json.ts';
import { annotationError } from '../annotations/text.ts';
import type { SampleIndex } from '../createDataset.ts';
import type { Files } from '../files/files.ts';
import { insideRoot, joinPath } from '../files/paths.ts';
import { type ClipEntry, checkPattern } from '../video/clipEntry.ts';

/** Options of {@link indexDiving48}. */
export interface Diving48Options {
  /** `Diving48_V2_train.json` or `Diving48_V2_test.json`. V1 has many wrong labels: results on it cannot be compared. */
  readonly json: string;
  /** `Diving48_vocab.json`: the classes, four parts each */
  readonly vocabulary: string;
  /** the folder of the videos (`rgb`) or of the folders of frames (`rawframes`); default `rgb` */
  readonly folder?: string;
  /** for clips that were unpacked into folders of images, the pattern of their names, `img_%05d.jpg`; default: videos */
  readonly pattern?: string;
  /** default `.mp4` */
  readonly extension?: string;
  readonly signal?: AbortSignal | undefined;
}

const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1e9));
const Vocabulary = v.pipe(v.array(v.array(v.string())), v.minLength(1));
const Videos = v.array(
  v.object({ vid_name: v.pipe(v.string(), v.regex(/^[\w-]+$/)), label: count, start_frame: count, end_frame: count }),
);

/**
 * Diving-48 V2. Clips are cut already: `start_frame` is 0 and `end_frame` the number of frames, which is how many images a folder
 * of frames must have.
 *
 * @returns classes such as `Back 15som 05Twis FREE`
 * @throws DatasetError `missing`, `annotation`, `labels` for a label that the vocabulary does not have
 */
export async function indexDiving48(files: Files, options: Diving48Options): Promise<SampleIndex<ClipEntry>> {
  const { json, pattern, extension = '.mp4', signal } = options;
  const folder = insideRoot(options.folder ?? 'rgb');
  if (pattern !== undefined) checkPattern(pattern);
  const classes = (await readJson(files, options.vocabulary, Vocabulary, { signal })).map((parts) => parts.join(' '));
  const videos = await readJson(files, json, Videos, { signal });
  const entries = videos.map(({ vid_name: id, label, start_frame: start, end_frame: end }, position): ClipEntry => {
    if (label >= classes.length) {
      throw annotationError(`${json}, ${position}.label`, `a label from 0 to ${classes.length - 1}`, String(label), {
        code: 'labels',
      });
    }
    if (end <= start) {
      throw annotationError(`${json}, ${position}.end_frame`, `more than start_frame, ${start}`, String(end));
    }
    if (pattern === undefined) return { id, path: joinPath(folder, id + extension), label };
    return { id, path: joinPath(folder, id), label, frames: { pattern, count: end - start } };
  });
  return { name: json, classes, entries, absent: [] };
}
