import * as v from 'valibot';
import { readJson } from '../annotations/json.ts';
import type { Files } from '../files/files.ts';
import type { ClipSpan } from '../video/clipEntry.ts';
import type { GymId } from './ids.ts';

const seconds = v.pipe(v.number(), v.finite(), v.minValue(0));
const timestamps = v.pipe(v.array(v.tuple([seconds, seconds])), v.minLength(1));
const SubAction = v.object({ timestamps });
const Event = v.object({ timestamps, segments: v.nullable(v.record(v.string(), SubAction)) });
const Annotation = v.record(v.string(), v.record(v.string(), Event));

/**
 * The times of sub-actions. In the file, an event's are those of the video, and a sub-action's count from the start of its event;
 * a sub-action has several stages, one after the other.
 *
 * @param relativeTo the file that the span is a part of
 */
export async function readGymSpans(
  files: Files,
  path: string,
  relativeTo: 'events' | 'videos',
  signal?: AbortSignal | undefined,
): Promise<(id: GymId) => ClipSpan | undefined> {
  const annotation = new Map(
    Object.entries(await readJson(files, path, Annotation, { signal })).map(([video, events]) => [
      video,
      new Map(Object.entries(events)),
    ]),
  );
  return ({ video, event, subAction }) => {
    const found = annotation.get(video)?.get(event);
    const stages = new Map(Object.entries(found?.segments ?? {})).get(subAction ?? '')?.timestamps;
    const [first, last, begin] = [stages?.[0], stages?.at(-1), found?.timestamps[0]];
    if (first === undefined || last === undefined || begin === undefined) return undefined;
    const offset = relativeTo === 'videos' ? begin[0] : 0;
    return { unit: 'seconds', start: offset + first[0], end: offset + last[1] };
  };
}
