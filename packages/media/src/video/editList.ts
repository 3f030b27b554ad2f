import { DecodeError } from '../errors.ts';
import { type Box, BoxWalk } from './boxes.ts';
import type { CheckedBytes } from './videoBytes.ts';

/** When a track of an MP4 file is on show, in seconds of the presentation. */
export interface ShownSpan {
  readonly start: number;
  readonly end: number;
}

/** Of tracks without an edit list. */
export const ALWAYS: ShownSpan = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };

/**
 * The part of a track that its edit list shows. Edit lists say where in the media the presentation begins (which skips
 * frames that are only there to decode others), how long it waits before, and how long it lasts.
 *
 * @param track number of the track, as its header has it
 * @throws DecodeError Unsupported for lists that show several pieces, or change the speed; Corrupt; Truncated, IoError
 */
export async function shownSpan(
  file: CheckedBytes,
  track: number,
  signal: AbortSignal | undefined,
): Promise<ShownSpan> {
  const walk = new BoxWalk(file, signal);
  for await (const moov of walk.boxes(0, file.size, 'moov')) {
    let timescale = 0;
    for await (const header of walk.boxes(moov.start, moov.end, 'mvhd')) timescale = await readTimescale(walk, header);
    for await (const trak of walk.boxes(moov.start, moov.end, 'trak')) {
      if (!(await isTrack(walk, trak, track))) continue;
      for await (const edts of walk.boxes(trak.start, trak.end, 'edts')) {
        for await (const elst of walk.boxes(edts.start, edts.end, 'elst')) {
          return spanOf(await walk.read(elst), timescale);
        }
      }
    }
  }
  return ALWAYS;
}

async function readTimescale(walk: BoxWalk, box: Box): Promise<number> {
  const view = await walk.read(box);
  return guarded(() => view.getUint32(view.getUint8(0) === 1 ? 20 : 12));
}

async function isTrack(walk: BoxWalk, trak: Box, track: number): Promise<boolean> {
  for await (const box of walk.boxes(trak.start, trak.end, 'tkhd')) {
    const view = await walk.read(box);
    return guarded(() => view.getUint32(view.getUint8(0) === 1 ? 20 : 12) === track);
  }
  return false;
}

/** @param timescale units a second of durations in the list */
function spanOf(view: DataView, timescale: number): ShownSpan {
  return guarded(() => {
    const long = view.getUint8(0) === 1;
    const entry = long ? 20 : 12;
    const count = view.getUint32(4);
    if (8 + count * entry > view.byteLength || timescale === 0) throw new RangeError(`${count} entries`);
    let start = 0;
    let span: ShownSpan | undefined;
    for (let i = 0; i < count; i++) {
      const at = 8 + i * entry;
      const duration = (long ? Number(view.getBigUint64(at)) : view.getUint32(at)) / timescale;
      const mediaTime = long ? Number(view.getBigInt64(at + 8)) : view.getInt32(at + 4);
      const rate = view.getInt32(at + entry - 4) / 2 ** 16;
      // An empty edit: nothing is shown for its duration.
      if (mediaTime === -1) {
        if (span === undefined) start += duration;
        continue;
      }
      if (span !== undefined) throw refusal('shows several pieces of it one after the other');
      if (rate !== 1) throw refusal(`shows it at ${rate} times its speed`);
      span = { start, end: duration === 0 ? Number.POSITIVE_INFINITY : start + duration };
    }
    return span ?? ALWAYS;
  });
}

function refusal(what: string): DecodeError {
  return new DecodeError(
    'Unsupported',
    `the video file has an edit list that ${what}. Frames have no plain numbers then: encode it anew (ffmpeg -i in out).`,
  );
}

/** A DataView throws RangeError beyond its end. */
function guarded<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof DecodeError) throw cause;
    throw new DecodeError(
      'Corrupt',
      'a header of the video file is shorter than it should be, or contradicts itself.',
      { cause },
    );
  }
}
