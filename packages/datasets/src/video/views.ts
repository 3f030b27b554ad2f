import { type ClipView, clipViews } from '@saccade/media';
import type { SampleIndex } from '../createDataset.ts';
import type { ClipEntry } from './clipEntry.ts';

/** A clip seen in one of several ways. Figures average over all entries of one `id`. */
export type ViewedClip<E extends ClipEntry = ClipEntry> = E & {
  /** which temporal view and spatial crop; samplers and transforms find it in `context.info.view` */
  readonly view: ClipView;
};

/**
 * Each clip several times, once for each view of an evaluation: `views` temporal views times `crops` spatial crops
 * (TEST.NUM_ENSEMBLE_VIEWS and TEST.NUM_SPATIAL_CROPS of SlowFast and UniFormer), the views of a clip one after the other.
 *
 * @throws ImageError InvalidOption for no views, or other crops than 1 or 3
 */
export function withViews<E extends ClipEntry>(
  index: SampleIndex<E>,
  views: number,
  crops: 1 | 3,
): SampleIndex<ViewedClip<E>> {
  const all = clipViews(views, crops);
  return { ...index, entries: index.entries.flatMap((entry) => all.map((view) => ({ ...entry, view }))) };
}
