import { DecodeError } from '../errors.ts';
import type { CheckedBytes } from './videoBytes.ts';

/** Files have some dozens of boxes outside of their tables. */
const MOST_BOXES = 10_000;
const READ_BYTES = 2 ** 16;

/** Where the content of a box begins and ends. */
export interface Box {
  readonly start: number;
  readonly end: number;
}

/** Finds boxes of an MP4 or QuickTime file. */
export class BoxWalk {
  readonly #file: CheckedBytes;
  readonly #signal: AbortSignal | undefined;
  #count = 0;
  /** What was read last, beginning at byte `#keptFrom`: headers lie close together, and each read may be a request. */
  #kept: Uint8Array = new Uint8Array(0);
  #keptFrom = 0;

  constructor(file: CheckedBytes, signal: AbortSignal | undefined) {
    this.#file = file;
    this.#signal = signal;
  }

  /** The boxes that lie side by side between two positions: all, or those of one type. */
  async *boxes(from: number, to: number, wanted?: string): AsyncGenerator<Box, void, undefined> {
    for (let at = from; at + 8 <= to; ) {
      this.#signal?.throwIfAborted();
      if (++this.#count > MOST_BOXES) throw new DecodeError('Corrupt', `the video file has over ${MOST_BOXES} boxes.`);
      const head = await this.#view(at, Math.min(to, at + 16));
      let size = head.getUint32(0);
      let start = at + 8;
      if (size === 0) size = to - at;
      else if (size === 1 && head.byteLength === 16) {
        size = Number(head.getBigUint64(8));
        start = at + 16;
      }
      if (size < start - at)
        throw new DecodeError('Corrupt', `the box at byte ${at} of the video file has size ${size}.`);
      // The last one of a file that was cut off reaches beyond it: reading its content reports that.
      if (wanted === undefined || head.getUint32(4) === codeOf(wanted)) yield { start, end: at + size };
      at += size;
    }
  }

  /** @throws DecodeError Truncated, Corrupt */
  async read({ start, end }: Box): Promise<DataView> {
    if (end - start > READ_BYTES) {
      throw new DecodeError('Corrupt', `a header box of the video file has ${end - start} bytes.`);
    }
    return await this.#view(start, end);
  }

  async #view(start: number, end: number): Promise<DataView> {
    if (start < this.#keptFrom || end > this.#keptFrom + this.#kept.byteLength) {
      this.#kept = await this.#file.read(start, Math.max(end, Math.min(this.#file.size, start + READ_BYTES)));
      this.#keptFrom = start;
    }
    const { buffer, byteOffset } = this.#kept;
    return new DataView(buffer, byteOffset + start - this.#keptFrom, end - start);
  }
}

function codeOf(type: string): number {
  return [...type].reduce((code, letter) => code * 256 + letter.charCodeAt(0), 0);
}
