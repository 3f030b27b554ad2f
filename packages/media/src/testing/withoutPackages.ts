// Run by optionalPackage.test.ts in a process where some packages are hidden: what decoding says then, as JSON.
import { readFile } from 'node:fs/promises';
import { fileOf } from '../decode/testing/cases.ts';
import { DecodeError } from '../errors.ts';
import { decodeImage, openVideo } from '../node.ts';

async function said(run: () => Promise<unknown>): Promise<string> {
  try {
    await run();
    return 'done';
  } catch (error) {
    return error instanceof DecodeError ? error.message : `another error: ${String(error)}`;
  }
}

const clip = await readFile(new URL('../video/fixtures/h264.mp4', import.meta.url));
console.log(
  JSON.stringify({
    jpeg: await said(() => decodeImage(fileOf('jpeg 4:4:4'))),
    png: await said(() => decodeImage(fileOf('png colour 2 depth 8'))),
    sharp: await said(() => decodeImage(fileOf('jpeg 4:4:4'), { decoder: 'sharp' })),
    wasm: await said(() => decodeImage(fileOf('jpeg 4:4:4'), { decoder: 'wasm' })),
    video: await said(() => openVideo(clip)),
  }),
);
