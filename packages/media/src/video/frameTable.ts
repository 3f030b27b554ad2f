import type { EncodedPacketSink, InputVideoTrack } from 'mediabunny';
import { DecodeError } from '../errors.ts';
import type { ShownSpan } from './editList.ts';
import { MICROSECOND } from './timeline.ts';

/** The frames that a track shows, by number. */
export interface FrameTable {
  /** [frameCount], ascending, in seconds. */
  readonly timestamps: Float64Array;
  /** From the first frame's appearance to the last one's end, in seconds. */
  readonly duration: number;
}

/** Seconds; a frame that is shown for no stated time has the mean duration of the others. */
interface Shown {
  readonly time: number;
  readonly duration: number;
}

/**
 * Numbers the frames of a track in presentation order, by reading where its packets lie and when they are shown; nothing is
 * decoded. Frames that are there only to decode others are left out: those before the presentation begins or after it
 * ends, and invisible ones of VP8.
 *
 * @throws DecodeError NoFrames; TooLarge above `maxFrames`; Corrupt if two frames are shown at once; the signal's reason
 */
export async function frameTable(
  track: InputVideoTrack,
  sink: EncodedPacketSink,
  { start, end }: ShownSpan,
  maxFrames: number,
  signal: AbortSignal | undefined,
): Promise<FrameTable> {
  const isVp8 = (await track.getCodec()) === 'vp8';
  const shown: Shown[] = [];
  // Whether a frame of VP8 is shown stands in its first byte, that of other codecs in the container.
  for await (const packet of sink.packets(undefined, undefined, { metadataOnly: !isVp8 })) {
    signal?.throwIfAborted();
    const { timestamp, duration, data } = packet;
    if (timestamp < start - MICROSECOND || timestamp > end - MICROSECOND) continue;
    if (isVp8 && ((data[0] ?? 0) & VP8_SHOW_FRAME) === 0) continue;
    if (shown.length === maxFrames) {
      throw new DecodeError(
        'TooLarge',
        `the video has more than ${maxFrames} frames. Raise maxFrames if you expect that.`,
      );
    }
    shown.push({ time: timestamp, duration });
  }
  if (shown.length === 0) throw new DecodeError('NoFrames', 'the video has no frames to show.');
  shown.sort((a, b) => a.time - b.time);
  const timestamps = Float64Array.from(shown, ({ time }) => time);
  for (let i = 1; i < timestamps.length; i++) {
    if (timestamps[i]! - timestamps[i - 1]! < MICROSECOND) {
      throw new DecodeError('Corrupt', `frames ${i - 1} and ${i} of the video are both shown at ${timestamps[i]} s.`);
    }
  }
  const [first, last] = [shown[0]!, shown.at(-1)!];
  const mean = shown.length > 1 ? (last.time - first.time) / (shown.length - 1) : 0;
  const finish = Math.min(end, last.time + (last.duration || mean));
  return { timestamps, duration: finish - first.time };
}

const VP8_SHOW_FRAME = 0x10;
