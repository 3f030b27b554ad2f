import type { LoadImageOptions } from '../decode/download.ts';
import type { DecodedImage } from '../decode/options.ts';
import { DecodeError } from '../errors.ts';
import type { Frame, FrameSource, ReadOptions } from './frameSource.ts';
import { checkIndices, framesOnShow } from './timeline.ts';

/** Options of openFrameFiles. */
export interface FrameFilesOptions extends Omit<LoadImageOptions, 'channels'> {
  /** Frames per second, which files of single frames do not tell: times and the duration follow from it. Default 30. */
  readonly fps?: number | undefined;
}

/** Loads an image on this platform. */
type LoadImage<S> = (source: S, options: LoadImageOptions) => Promise<DecodedImage>;

/**
 * Makes the openFrameFiles of a platform: a video whose frames are image files, in the order of the list. The first one is
 * decoded at once, for the size that all must have; the others when they are asked for.
 *
 * @throws DecodeError NoFrames for an empty list; InvalidArgument; what loadImage throws. From `frames` also Unsupported for a
 *   frame of another size
 */
export function frameFilesWith<S>(
  load: LoadImage<S>,
): (files: readonly S[], options?: FrameFilesOptions) => Promise<FrameSource> {
  return async (files, options = {}) => {
    const { fps = 30, signal, ...decoding } = options;
    if (!(fps > 0 && Number.isFinite(fps))) {
      throw new DecodeError('InvalidArgument', `fps must be a number above 0, got ${String(fps)}.`);
    }
    const [first] = files;
    if (first === undefined) throw new DecodeError('NoFrames', 'the list of frame files is empty.');
    const { width, height } = await load(first, { ...decoding, signal, channels: 3 });
    return new FrameFiles([...files], load, decoding, { fps, width, height });
  };
}

class FrameFiles<S> implements FrameSource {
  readonly frameCount: number;
  readonly fps: number;
  readonly width: number;
  readonly height: number;
  readonly duration: number;
  readonly timestamps: Float64Array;
  readonly #files: readonly S[];
  readonly #load: LoadImage<S>;
  readonly #decoding: LoadImageOptions;
  readonly #closing = new AbortController();

  constructor(
    files: readonly S[],
    load: LoadImage<S>,
    decoding: LoadImageOptions,
    { fps, width, height }: { readonly fps: number; readonly width: number; readonly height: number },
  ) {
    this.#files = files;
    this.#load = load;
    this.#decoding = decoding;
    this.frameCount = files.length;
    this.fps = fps;
    this.width = width;
    this.height = height;
    this.duration = files.length / fps;
    this.timestamps = Float64Array.from(files, (_, i) => i / fps);
  }

  async *frames(indices: Iterable<number>, { signal }: ReadOptions = {}): AsyncGenerator<Frame, void, undefined> {
    const closing = this.#closing.signal;
    const either = signal === undefined ? closing : AbortSignal.any([signal, closing]);
    either.throwIfAborted();
    for (const index of checkIndices(indices, this.frameCount)) {
      const image = await this.#load(this.#files[index] as S, { ...this.#decoding, signal: either, channels: 3 });
      either.throwIfAborted();
      const { data, width, height } = image;
      if (width !== this.width || height !== this.height) {
        throw new DecodeError(
          'Unsupported',
          `frame ${index} (${String(this.#files[index])}) has ${width} x ${height} pixels, the first ${this.width} x ` +
            `${this.height}. All frames of a video must have one size.`,
        );
      }
      yield { data, width, height, channels: 3, index, timestamp: this.timestamps[index]! };
    }
  }

  framesAt(seconds: Iterable<number>, options: ReadOptions = {}): AsyncGenerator<Frame, void, undefined> {
    return this.frames(framesOnShow(seconds, this.timestamps, this.duration), options);
  }

  async close(): Promise<void> {
    this.#closing.abort(
      new DecodeError('Closed', 'the frames were closed. Keep them open until the last one is read.'),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
