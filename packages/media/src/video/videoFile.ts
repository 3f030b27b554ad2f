import type { Input, InputVideoTrack, VideoSample } from 'mediabunny';
import type { Orientation } from '../decode/exif.ts';
import { orient } from '../decode/orient.ts';
import { DecodeError, messageOf } from '../errors.ts';
import type { ColourSpace } from './colour.ts';
import { framePixels } from './framePixels.ts';
import type { Frame, FrameSource, ReadOptions } from './frameSource.ts';
import type { FrameTable } from './frameTable.ts';
import type { Mediabunny } from './mediabunny.ts';
import { checkIndices, framesOnShow } from './timeline.ts';
import type { OpenVideoOptions } from './videoOptions.ts';

/** What is known of a video once it is open. */
interface VideoParts {
  readonly mediabunny: Mediabunny;
  readonly input: Input;
  readonly track: InputVideoTrack;
  readonly table: FrameTable;
  readonly colours: ColourSpace;
  readonly rotation: 0 | 90 | 180 | 270;
  readonly flip: boolean;
  readonly codedWidth: number;
  readonly codedHeight: number;
  readonly options: OpenVideoOptions;
  /** What reading the file threw last. */
  fault(): unknown;
  release(): Promise<void>;
}

/** A turn clockwise and a mirror image after it, as EXIF numbers them. */
const ORIENTATIONS: Readonly<Record<VideoParts['rotation'], readonly [plain: Orientation, mirrored: Orientation]>> = {
  0: [1, 2],
  90: [6, 5],
  180: [3, 4],
  270: [8, 7],
};

/** Times go through decoders in whole microseconds. */
const TIME_TOLERANCE = 2e-6;

type Samples = AsyncGenerator<VideoSample | null, void, unknown>;

/** A video file as a list of frames, see openVideo. */
export class VideoFile implements FrameSource {
  readonly frameCount: number;
  readonly fps: number;
  readonly width: number;
  readonly height: number;
  readonly duration: number;
  readonly timestamps: Float64Array;
  readonly #parts: VideoParts;
  readonly #orientation: Orientation;
  readonly #reads = new Set<Samples>();
  #closed = false;

  constructor(parts: VideoParts) {
    const { table, rotation, flip, codedWidth, codedHeight } = parts;
    this.#parts = parts;
    this.#orientation = ORIENTATIONS[rotation][flip ? 1 : 0];
    this.timestamps = table.timestamps;
    this.frameCount = table.timestamps.length;
    this.duration = table.duration;
    this.fps = table.duration > 0 ? this.frameCount / table.duration : 0;
    const lies = rotation === 90 || rotation === 270;
    this.width = lies ? codedHeight : codedWidth;
    this.height = lies ? codedWidth : codedHeight;
  }

  async *frames(indices: Iterable<number>, { signal }: ReadOptions = {}): AsyncGenerator<Frame, void, undefined> {
    this.#checkOpen();
    signal?.throwIfAborted();
    const wanted = checkIndices(indices, this.frameCount);
    if (wanted.length === 0) return;
    const { mediabunny, track, options } = this.#parts;
    const { hardwareAcceleration = 'prefer-software' } = options;
    const sink = new mediabunny.VideoSampleSink(track, { hardwareAcceleration });
    // A number that comes again at once is decoded once.
    const decoded = wanted.filter((index, i) => index !== wanted[i - 1]);
    const samples: Samples = sink.samplesAtTimestamps(decoded.map((index) => this.timestamps[index]!));
    // Returning ends a wait for the next sample, and lets mediabunny close its decoder.
    const stop = () => void samples.return();
    this.#reads.add(samples);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      let frame: Frame | undefined;
      for (const index of wanted) {
        frame =
          frame?.index === index ? { ...frame, data: frame.data.slice() } : await this.#next(samples, index, signal);
        signal?.throwIfAborted();
        this.#checkOpen();
        yield frame;
      }
    } finally {
      signal?.removeEventListener('abort', stop);
      this.#reads.delete(samples);
      // After an error too: mediabunny's decoder otherwise waits for somebody to take its frames.
      await samples.return();
    }
  }

  framesAt(seconds: Iterable<number>, options: ReadOptions = {}): AsyncGenerator<Frame, void, undefined> {
    const first = this.timestamps[0] ?? 0;
    return this.frames(framesOnShow(seconds, this.timestamps, first + this.duration), options);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.all([...this.#reads].map((samples) => samples.return()));
    this.#parts.input.dispose();
    await this.#parts.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #next(samples: Samples, index: number, signal: AbortSignal | undefined): Promise<Frame> {
    let sample: VideoSample | undefined;
    try {
      const step = await samples.next();
      sample = (step.done ? undefined : step.value) ?? undefined;
      return await this.#frame(sample, index);
    } catch (cause) {
      signal?.throwIfAborted();
      this.#checkOpen();
      if (cause instanceof DecodeError) throw cause;
      const reading = this.#parts.fault();
      if (reading instanceof DecodeError) throw reading;
      throw new DecodeError('Corrupt', `frame ${index} of the video cannot be decoded: ${messageOf(cause)}.`, {
        cause,
      });
    } finally {
      sample?.close();
    }
  }

  async #frame(sample: VideoSample | undefined, index: number): Promise<Frame> {
    const timestamp = this.timestamps[index]!;
    if (sample === undefined || Math.abs(sample.timestamp - timestamp) > TIME_TOLERANCE) {
      throw new DecodeError(
        'Corrupt',
        `the decoder left out frame ${index} of the video, shown at ${timestamp} s ` +
          `(${sample ? `one of ${sample.timestamp} s` : 'none'} came): the file is damaged or cut off there.`,
      );
    }
    const image = orient(await framePixels(sample, () => this.#parts.colours), this.#orientation);
    if (image.width !== this.width || image.height !== this.height) {
      throw new DecodeError(
        'Unsupported',
        `frame ${index} has ${image.width} x ${image.height} pixels, the video says ${this.width} x ${this.height}: ` +
          'videos whose size changes are not read. Encode it anew with one size.',
      );
    }
    return { ...image, index, timestamp };
  }

  #checkOpen(): void {
    if (this.#closed)
      throw new DecodeError('Closed', 'the video was closed. Keep it open until the last frame is read.');
  }
}
