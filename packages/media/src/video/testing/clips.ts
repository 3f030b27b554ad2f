import { readFileSync } from 'node:fs';

/** A clip of the fixtures, and what FFmpeg decodes it to. */
export interface ClipCase {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Seconds, a frame each. */
  readonly times: readonly number[];
  /** The number written into each frame. */
  readonly numbers: readonly number[];
  /** Digests of the planes and of the RGB values. */
  readonly planes: readonly string[];
  readonly rgb: readonly string[];
}

export const CLIPS = JSON.parse(clipBytes('clips.json').toString('utf8')) as readonly ClipCase[];

export function clipUrl(name: string): URL {
  return new URL(`../fixtures/${name}`, import.meta.url);
}

export function clipBytes(name: string): Buffer {
  return readFileSync(clipUrl(name));
}
