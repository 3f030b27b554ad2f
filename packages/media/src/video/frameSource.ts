import { DecodeError } from '../errors.ts';
import type { NewImage } from '../image.ts';

/** A frame of a video: RGB of shape [H, W, 3], an array of its own. */
export interface Frame extends NewImage {
  readonly channels: 3;
  /** Its number in presentation order, from 0. */
  readonly index: number;
  /** When it appears, in seconds from the first moment of the video. */
  readonly timestamp: number;
}

/** Options of reading frames. */
export interface ReadOptions {
  /** Ends the reading: the iterator throws the signal's reason, and the decoder is closed. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A video as a list of frames, numbered from 0 in the order in which they are shown.
 *
 * Reads may run side by side; each has a decoder of its own, which is closed when its iterator ends, is left early or
 * throws. Frames are decoded as they are taken, so that a long video never lies in memory.
 */
export interface FrameSource extends AsyncDisposable {
  readonly frameCount: number;
  /** Frames per second: the mean over the video, as its frames may be of different lengths. */
  readonly fps: number;
  /** Of every frame, in pixels as stored, turned upright. */
  readonly width: number;
  readonly height: number;
  /** In seconds, from the first frame's appearance to the last one's end. */
  readonly duration: number;
  /** [frameCount], ascending: when each frame appears, in seconds. */
  readonly timestamps: Float64Array;
  /**
   * The frames with these numbers, in this order; a number may come again. Ascending numbers are fastest: what lies
   * between two of them is decoded once.
   *
   * @throws DecodeError OutOfRange, before anything is decoded; Truncated, Corrupt, Closed; the signal's reason
   */
  frames(indices: Iterable<number>, options?: ReadOptions): AsyncGenerator<Frame, void, undefined>;
  /**
   * The frames on show at these times: the last one that has appeared.
   *
   * @throws DecodeError OutOfRange for a time before the first frame or after the duration; what `frames` throws
   */
  framesAt(seconds: Iterable<number>, options?: ReadOptions): AsyncGenerator<Frame, void, undefined>;
  /** Ends reads that are under way with Closed, and frees what the source holds. Closing twice does no harm. */
  close(): Promise<void>;
}

/** Frames side by side, as a model of videos takes them. */
export interface VideoClip {
  /** [T, H, W, 3] */
  readonly data: Uint8Array;
  readonly shape: readonly [frames: number, height: number, width: number, channels: 3];
}

/**
 * Reads frames into one array: `data[t]` is frame `indices[t]`.
 *
 * @returns [T, H, W, 3] with T = `indices.length`
 * @throws DecodeError as FrameSource.frames, InvalidArgument without indices
 */
export async function readClip(
  source: FrameSource,
  indices: readonly number[],
  options: ReadOptions = {},
): Promise<VideoClip> {
  if (indices.length === 0) throw new DecodeError('InvalidArgument', 'indices must name at least one frame, got none.');
  const { height, width } = source;
  const size = height * width * 3;
  let slot = 0;
  let data: Uint8Array | undefined;
  for await (const frame of source.frames(indices, options)) {
    // Only now: numbers out of range are refused before memory is taken.
    data ??= new Uint8Array(indices.length * size);
    data.set(frame.data, slot * size);
    slot++;
  }
  if (data === undefined || slot !== indices.length) {
    throw new DecodeError('Corrupt', `${indices.length} frames were asked for, the source gave ${slot}.`);
  }
  return { data, shape: [indices.length, height, width, 3] };
}
