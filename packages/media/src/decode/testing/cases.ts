import { readFileSync } from 'node:fs';

/** A file of fixtures/images.json: the file itself, and digests of what Pillow decodes it to. */
export interface ImageCase {
  readonly name: string;
  /** base64 */
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly rgb: string;
  readonly rgba: string;
  /** The image itself, where it has one channel. */
  readonly one?: string;
  /** RGB after EXIF orientation. */
  readonly upright?: string;
}

export const CASES = JSON.parse(
  readFileSync(new URL('../fixtures/images.json', import.meta.url), 'utf8'),
) as readonly ImageCase[];

/** The bytes of a file by its name in images.json. */
export function fileOf(name: string): Uint8Array<ArrayBuffer> {
  const found = CASES.find((image) => image.name === name);
  if (found === undefined) throw new Error(`images.json has no ${name}`);
  return Uint8Array.from(Buffer.from(found.file, 'base64'));
}
