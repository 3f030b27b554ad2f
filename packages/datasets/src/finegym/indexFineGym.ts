import { annotationError, labelFrom, lineOf, linesOf, readText } from '../annotations/text.ts';
import type { SampleIndex } from '../createDataset.ts';
import type { Files } from '../files/files.ts';
import { insideRoot, joinPath } from '../files/paths.ts';
import type { ClipEntry, ClipSpan } from '../video/clipEntry.ts';
import { parseCategories } from './categories.ts';
import { type GymId, parseGymId } from './ids.ts';
import { readGymSpans } from './spans.ts';

/** Options of {@link indexFineGym}. */
export interface FineGymOptions {
  /** `gym99_train_element_v1.1.txt`, `gym99_val_element.txt`, `gym288_...`: lines `id label` */
  readonly list: string;
  /** `gym99_categories.txt` or `gym288_categories.txt`: lines `Clabel: 0; set: 1; Glabel: 1; (VT) round-off, ...` */
  readonly categories: string;
  /** the folder of the videos; default as the layout is called */
  readonly folder?: string;
  /**
   * What the videos are:
   *
   * - `subactions` (default): cut to the clips, `<id>.mp4`, as mmaction's scripts make them
   * - `events`: cut to events, `<video>_E_..._....mp4`; the clip is a part of it
   * - `videos`: whole, `<video>.mp4`; the clip is a part of it
   */
  readonly layout?: 'subactions' | 'events' | 'videos';
  /** the JSON with the times, `finegym_annotation_info_v1.1.json`; needed for `events` and `videos` */
  readonly annotation?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * FineGym, Gym99 or Gym288. A clip runs from the start of its first stage to the end of its last, in seconds relative to its
 * event (`trim_subaction.py` of mmaction).
 *
 * @throws DatasetError `missing`, `annotation`, `labels` for a label that is no category
 */
export async function indexFineGym(files: Files, options: FineGymOptions): Promise<SampleIndex<ClipEntry>> {
  const { list, categories, layout = 'subactions', annotation, signal } = options;
  const folder = insideRoot(options.folder ?? layout);
  const classes = parseCategories(await readText(files, categories, { signal }), categories);
  const spans = await spansFor(files, options, layout, signal);
  const entries = linesOf(await readText(files, list, { signal })).map(({ number, text }): ClipEntry => {
    const place = lineOf(list, number);
    const [id = '', label, ...more] = text.trim().split(/\s+/);
    const parts = parseGymId(id);
    if (parts?.subAction === undefined || more.length > 0) {
      throw annotationError(place, '<video>_E_<start>_<end>_A_<start>_<end> <label>', text);
    }
    const clip = { id, label: labelFrom(label, classes.length, place) };
    if (spans === undefined) return { ...clip, path: joinPath(folder, `${id}.mp4`) };
    const span = spans(parts);
    if (span === undefined) throw annotationError(place, `an id that ${annotation} has`, id);
    const file = layout === 'events' ? `${parts.video}_${parts.event}.mp4` : `${parts.video}.mp4`;
    return { ...clip, path: joinPath(folder, file), span };
  });
  return { name: list, classes, entries, absent: [] };
}

async function spansFor(
  files: Files,
  { annotation }: FineGymOptions,
  layout: 'subactions' | 'events' | 'videos',
  signal: AbortSignal | undefined,
): Promise<((id: GymId) => ClipSpan | undefined) | undefined> {
  if (layout === 'subactions') return undefined;
  if (annotation === undefined) {
    throw annotationError('annotation', `the JSON with the times, for layout '${layout}'`, 'none', { code: 'option' });
  }
  return readGymSpans(files, annotation, layout, signal);
}
