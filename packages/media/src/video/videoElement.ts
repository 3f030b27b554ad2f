import { DecodeError } from '../errors.ts';
import { type ColourSpace, colourSpaceOf } from './colour.ts';
import { framePixels } from './framePixels.ts';
import type { Frame, FrameSource, ReadOptions } from './frameSource.ts';
import { checkIndices, framesOnShow } from './timeline.ts';

/** The members of an HTMLVideoElement that are used here, so that the types of the DOM are not needed in Node. */
export interface VideoElement {
  readonly readyState: number;
  readonly duration: number;
  readonly videoWidth: number;
  readonly videoHeight: number;
  readonly seeking: boolean;
  currentTime: number;
  pause(): void;
}

/** Options of openVideoElement. */
export interface VideoElementOptions {
  /** Frames per second of the video, which the element does not tell. It must be constant. */
  readonly fps: number;
  /** Instead of what the browser says about the colours. */
  readonly colourSpace?: Partial<ColourSpace> | undefined;
  /** Milliseconds that seeking one frame may take. Default 10,000. */
  readonly timeout?: number | undefined;
}

/**
 * A `<video>` element as a list of frames, for what openVideo does not open: streams, and formats that only the element plays.
 *
 * The element is paused and sought to the middle of each frame; the frame it then shows is held against the number asked for, by
 * its own time, and given only if it is the one. An element seeks one frame at a time and shares its position with
 * everybody: use openVideo where it works.
 *
 * @param video with its metadata loaded (`readyState >= 1`), and allowed to be read (`crossOrigin`)
 * @throws DecodeError InvalidArgument; NoFrames for an endless or empty video. From `frames` also Corrupt if the element shows
 *   another frame, or none before the timeout
 */
export function openVideoElement(video: VideoElement, options: VideoElementOptions): FrameSource {
  const { fps } = options;
  if (!(fps > 0 && Number.isFinite(fps))) {
    throw new DecodeError('InvalidArgument', `fps must be a number above 0, got ${String(fps)}.`);
  }
  if (video.readyState < HTMLMediaElement.HAVE_METADATA) {
    throw new DecodeError('InvalidArgument', 'the video element knows nothing yet: wait for its event loadedmetadata.');
  }
  const count = Math.round(video.duration * fps);
  if (!Number.isSafeInteger(count) || count < 1 || video.videoWidth === 0) {
    throw new DecodeError(
      'NoFrames',
      `the video element has a duration of ${video.duration} s, and no frames to seek.`,
    );
  }
  return new ElementFrames(video, count, options);
}

class ElementFrames implements FrameSource {
  readonly frameCount: number;
  readonly fps: number;
  readonly width: number;
  readonly height: number;
  readonly duration: number;
  readonly timestamps: Float64Array;
  readonly #video: VideoElement;
  readonly #options: VideoElementOptions;
  /** Reads take turns: the element has one position. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(video: VideoElement, count: number, options: VideoElementOptions) {
    this.#video = video;
    this.#options = options;
    this.frameCount = count;
    this.fps = options.fps;
    this.width = video.videoWidth;
    this.height = video.videoHeight;
    this.duration = count / options.fps;
    this.timestamps = Float64Array.from({ length: count }, (_, i) => i / options.fps);
  }

  async *frames(indices: Iterable<number>, { signal }: ReadOptions = {}): AsyncGenerator<Frame, void, undefined> {
    for (const index of checkIndices(indices, this.frameCount)) {
      const reading = this.#turn.then(() => this.#read(index, signal));
      this.#turn = reading.catch(() => undefined);
      yield await reading;
    }
  }

  framesAt(seconds: Iterable<number>, options: ReadOptions = {}): AsyncGenerator<Frame, void, undefined> {
    return this.frames(framesOnShow(seconds, this.timestamps, this.duration), options);
  }

  /** The element stays as it is: it belongs to the caller. */
  async close(): Promise<void> {
    this.#closed = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #read(index: number, signal: AbortSignal | undefined): Promise<Frame> {
    const video = this.#video;
    const deadline = performance.now() + (this.#options.timeout ?? 10_000);
    video.pause();
    video.currentTime = (index + 0.5) / this.fps;
    let seen = Number.NaN;
    while (performance.now() < deadline) {
      signal?.throwIfAborted();
      if (this.#closed)
        throw new DecodeError('Closed', 'the video was closed. Keep it open until the last frame is read.');
      if (!video.seeking && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) {
        const frame = new VideoFrame(video as HTMLVideoElement);
        try {
          seen = frame.timestamp / 1e6;
          if (Math.round(seen * this.fps) === index) return await this.#frame(frame, index);
        } finally {
          frame.close();
        }
      }
      // The event `seeked` may come before the frame does, and none comes for a frame that is there already.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new DecodeError(
      'Corrupt',
      `the video element was sought to frame ${index} (${index / this.fps} s) and shows the one of ${seen} s. Is it a video ` +
        `of ${this.fps} frames per second?`,
    );
  }

  async #frame(frame: VideoFrame, index: number): Promise<Frame> {
    const image = await framePixels(frame, () => colourSpaceOf(frame.colorSpace, this.#options.colourSpace));
    if (image.width !== this.width || image.height !== this.height) {
      throw new DecodeError(
        'Unsupported',
        `frame ${index} has ${image.width} x ${image.height} pixels, the element shows ${this.width} x ${this.height}: turned ` +
          'videos, and those of pixels that are not square, are read by openVideo.',
      );
    }
    return { ...image, index, timestamp: this.timestamps[index]! };
  }
}
