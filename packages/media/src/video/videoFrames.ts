import { DecodeError, messageOf } from '../errors.ts';
import { type ColourSpace, colourSpaceOf } from './colour.ts';
import { framePixels, type RawFrame } from './framePixels.ts';
import type { Frame, FrameSource, ReadOptions } from './frameSource.ts';
import { checkIndices, framesOnShow } from './timeline.ts';

/** The members of a VideoFrame that are used here, so that the types of the DOM are not needed in Node. */
export interface DecodedFrame extends RawFrame {
  /** Microseconds. */
  readonly timestamp: number;
  /** Microseconds, if known. */
  readonly duration: number | null;
  readonly colorSpace: { readonly matrix: string | null; readonly fullRange: boolean | null };
  close(): void;
}

/** Frames in the order in which they are shown: a stream, or anything that can be looped over. */
type FramesInOrder = ReadableStream<DecodedFrame> | AsyncIterable<DecodedFrame> | Iterable<DecodedFrame>;

/** Options of collectVideoFrames. */
export interface CollectOptions {
  /** Instead of what the frames say about their colours. */
  readonly colourSpace?: Partial<ColourSpace> | undefined;
  /** Most bytes of pixels that are kept. Default 1 GiB. */
  readonly maxBytes?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_MAX_BYTES = 2 ** 30;

/**
 * Takes frames (VideoFrame) as WebCodecs, cameras (MediaStreamTrackProcessor) or canvases give them, makes them RGB and keeps them in memory, as
 * a stream can be read only once. Each is closed as soon as it is copied, whatever happens.
 *
 * @param frames in the order in which they are shown, of one size
 * @throws DecodeError NoFrames; TooLarge above `maxBytes`; Unsupported for frames of several sizes or more than 8 bits;
 *   Corrupt if times do not grow; IoError if the stream fails; the signal's reason
 */
export async function collectVideoFrames(frames: FramesInOrder, options: CollectOptions = {}): Promise<FrameSource> {
  const { maxBytes = DEFAULT_MAX_BYTES, colourSpace, signal } = options;
  const collected: Omit<Frame, 'index'>[] = [];
  let bytes = 0;
  let end = 0;
  for await (const frame of chunksOf(frames, signal)) {
    try {
      const image = await framePixels(frame, () => colourSpaceOf(frame.colorSpace, colourSpace));
      signal?.throwIfAborted();
      bytes += image.data.length;
      if (bytes > maxBytes) {
        throw new DecodeError('TooLarge', `the frames take more than the ${maxBytes} bytes allowed (maxBytes).`);
      }
      const timestamp = frame.timestamp / 1e6;
      const last = collected.at(-1);
      if (last !== undefined && (image.width !== last.width || image.height !== last.height)) {
        throw new DecodeError(
          'Unsupported',
          `frame ${collected.length} has ${image.width} x ${image.height} pixels, those before ${last.width} x ${last.height}.`,
        );
      }
      if (last !== undefined && !(timestamp > last.timestamp)) {
        throw new DecodeError(
          'Corrupt',
          `frame ${collected.length} is shown at ${timestamp} s, not after the one before.`,
        );
      }
      collected.push({ ...image, timestamp });
      end = timestamp + (frame.duration ?? 0) / 1e6;
    } finally {
      frame.close();
    }
  }
  return new CollectedFrames(collected, end);
}

/** The frames of a stream; leaving the loop early, an abort or a failure cancels it. */
async function* chunksOf(
  frames: FramesInOrder,
  signal: AbortSignal | undefined,
): AsyncGenerator<DecodedFrame, void, undefined> {
  signal?.throwIfAborted();
  if (!('getReader' in frames)) {
    for await (const frame of frames) {
      if (signal?.aborted) frame.close();
      signal?.throwIfAborted();
      yield frame;
    }
    return;
  }
  const reader = frames.getReader();
  // Ends a wait for a producer that stalls.
  const stop = () => void reader.cancel(signal?.reason).catch(() => undefined);
  signal?.addEventListener('abort', stop, { once: true });
  try {
    for (;;) {
      const step = await reader.read().catch((cause: unknown) => {
        signal?.throwIfAborted();
        throw new DecodeError('IoError', `the stream of frames failed: ${messageOf(cause)}.`, { cause });
      });
      if (signal?.aborted) step.value?.close();
      signal?.throwIfAborted();
      if (step.done) return;
      yield step.value;
    }
  } finally {
    signal?.removeEventListener('abort', stop);
    await reader.cancel().catch(() => undefined);
    reader.releaseLock();
  }
}

class CollectedFrames implements FrameSource {
  readonly frameCount: number;
  readonly fps: number;
  readonly width: number;
  readonly height: number;
  readonly duration: number;
  readonly timestamps: Float64Array;
  #frames: readonly Omit<Frame, 'index'>[] | undefined;

  constructor(frames: readonly Omit<Frame, 'index'>[], end: number) {
    const [first, last] = [frames[0], frames.at(-1)];
    if (first === undefined || last === undefined)
      throw new DecodeError('NoFrames', 'the stream ended without a frame.');
    this.#frames = frames;
    this.frameCount = frames.length;
    this.width = first.width;
    this.height = first.height;
    this.timestamps = Float64Array.from(frames, ({ timestamp }) => timestamp);
    const mean = frames.length > 1 ? (last.timestamp - first.timestamp) / (frames.length - 1) : 0;
    // A frame of no stated duration lasts as long as the others on average.
    this.duration = (end > last.timestamp ? end : last.timestamp + mean) - first.timestamp;
    this.fps = this.duration > 0 ? this.frameCount / this.duration : 0;
  }

  async *frames(indices: Iterable<number>, { signal }: ReadOptions = {}): AsyncGenerator<Frame, void, undefined> {
    signal?.throwIfAborted();
    for (const index of checkIndices(indices, this.frameCount)) {
      if (this.#frames === undefined) throw new DecodeError('Closed', 'the frames were closed.');
      const frame = this.#frames[index]!;
      yield { ...frame, data: frame.data.slice(), index };
      signal?.throwIfAborted();
    }
  }

  framesAt(seconds: Iterable<number>, options: ReadOptions = {}): AsyncGenerator<Frame, void, undefined> {
    return this.frames(framesOnShow(seconds, this.timestamps, (this.timestamps[0] ?? 0) + this.duration), options);
  }

  async close(): Promise<void> {
    this.#frames = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
