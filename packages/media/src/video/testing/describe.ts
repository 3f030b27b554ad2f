import { digest } from '../../decode/testing/digest.ts';
import { DecodeError } from '../../errors.ts';
import type { Frame, FrameSource } from '../frameSource.ts';

/** A video as plain data, so that a page can hand it to a test. */
export interface DescribedVideo {
  readonly frameCount: number;
  readonly fps: number;
  readonly width: number;
  readonly height: number;
  readonly duration: number;
  readonly timestamps: readonly number[];
}

/** A frame as plain data. */
export interface DescribedFrame {
  readonly index: number;
  readonly timestamp: number;
  readonly digest: string;
  /** What stands in the blocks at the top of the frame. */
  readonly number: number;
}

export function describeVideo(source: FrameSource): DescribedVideo {
  const { frameCount, fps, width, height, duration, timestamps } = source;
  return { frameCount, fps, width, height, duration, timestamps: [...timestamps] };
}

export async function describeFrames(frames: AsyncIterable<Frame>): Promise<DescribedFrame[]> {
  const described: DescribedFrame[] = [];
  for await (const frame of frames) {
    const { index, timestamp, data } = frame;
    described.push({ index, timestamp, digest: await digest(data), number: numberIn(frame) });
  }
  return described;
}

/** The number that make_clips.py wrote into the top rows: eight blocks, black or white, the lowest bit on the left. */
function numberIn({ data, width }: Frame): number {
  let number = 0;
  for (let bit = 0; bit < 8; bit++) {
    if (data[3 * Math.floor((width * (2 * bit + 1)) / 16)]! > 128) number |= 1 << bit;
  }
  return number;
}

/** The code of the DecodeError that something ends with; what it gives if it does not. */
export async function codeOf(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof DecodeError) return error.code;
    throw error;
  }
}
