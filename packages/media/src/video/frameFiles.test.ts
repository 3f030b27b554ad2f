import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../decode/node/decodeImage.ts';
import { fileOf } from '../decode/testing/cases.ts';
import { readClip } from './frameSource.ts';
import { openFrameFiles, openFrameFolder } from './node/frameFolder.ts';
import { codeOf } from './testing/describe.ts';

// Three pictures of one size that differ, and one that lies on its side.
const PICTURES = ['jpeg 4:4:4', 'png colour 2 depth 8', 'webp lossless'].map(fileOf);
const upright = { applyOrientation: true };
let directory: string;

async function folder(name: string, files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const path = join(directory, name);
  await mkdir(path);
  for (const [file, bytes] of Object.entries(files)) await writeFile(join(path, file), bytes);
  return path;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'saccade-media-'));
});
afterAll(async () => rm(directory, { recursive: true }));

describe('openFrameFolder', () => {
  it('numbers the files from start, in order', async () => {
    const [a, b, c] = PICTURES as [Uint8Array, Uint8Array, Uint8Array];
    const path = await folder('plain', { '00001.jpg': a, '00002.jpg': b, '00003.jpg': c, 'notes.txt': a, '1.jpg': c });
    await using video = await openFrameFolder(path, { fps: 12 });
    expect(video).toMatchObject({ frameCount: 3, fps: 12, width: 37, height: 23, duration: 0.25 });
    expect([...video.timestamps]).toEqual([0, 1 / 12, 2 / 12]);
    const { data, shape } = await readClip(video, [2, 0, 0]);
    expect(shape).toEqual([3, 23, 37, 3]);
    const images = await Promise.all([c, a, a].map(async (file) => (await decodeImage(file)).data));
    expect(data).toEqual(new Uint8Array(Buffer.concat(images)));
    const shown = [];
    for await (const frame of video.framesAt([0, 0.1, 0.25])) shown.push(frame.index);
    expect(shown).toEqual([0, 1, 2]);
  });

  it('takes other names and first numbers', async () => {
    const files = Object.fromEntries(PICTURES.map((file, i) => [`img_${i + 9}.png`, file]));
    const path = await folder('other', files);
    const video = await openFrameFolder(path, { pattern: 'img_%d.png', start: 9 });
    expect(video.frameCount).toBe(3);
    expect((await openFrameFolder(path, { pattern: 'img_%d.png', start: 11 })).frameCount).toBe(1);
  });

  it.each<[string, string, object]>([
    ['no file of the first number', 'NoFrames', { start: 0 }],
    ['a hole', 'Corrupt', {}],
    ['a pattern without a number', 'InvalidArgument', { pattern: 'frame.jpg' }],
    ['a pattern that leaves the folder', 'InvalidArgument', { pattern: '../%05d.jpg' }],
    ['a start below 0', 'InvalidArgument', { start: -1 }],
    ['fps 0', 'InvalidArgument', { fps: 0, start: 4 }],
  ])('refuses %s: %s', async (name, code, options) => {
    const [a] = PICTURES as [Uint8Array];
    const path = await folder(name, { '00001.jpg': a, '00002.jpg': a, '00004.jpg': a });
    expect(await codeOf(() => openFrameFolder(path, options))).toBe(code);
  });

  it('refuses a folder that is not there', async () => {
    expect(await codeOf(() => openFrameFolder(join(directory, 'none')))).toBe('IoError');
  });
});

describe('openFrameFiles', () => {
  const blobs = (files: readonly Uint8Array[]) => files.map((file) => new Blob([Uint8Array.from(file)]));

  it('refuses no files, frames of several sizes, damaged ones and wrong numbers', async () => {
    expect(await codeOf(() => openFrameFiles([]))).toBe('NoFrames');
    const turned = await openFrameFiles(blobs([PICTURES[0]!, fileOf('jpeg orientation 6')]), upright);
    expect(await codeOf(() => readClip(turned, [0, 1]))).toBe('Unsupported');
    const cut = await openFrameFiles(blobs([PICTURES[0]!, PICTURES[0]!.subarray(0, 300)]));
    expect(await codeOf(() => readClip(cut, [1]))).toBe('Truncated');
    expect(await codeOf(() => readClip(cut, [2]))).toBe('OutOfRange');
    expect(await codeOf(() => readClip(cut, []))).toBe('InvalidArgument');
  });

  it('ends when closed or aborted', async () => {
    const video = await openFrameFiles(blobs(PICTURES));
    const reason = new Error('enough');
    await expect(readClip(video, [0], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const frames = video.frames([0, 1]);
    await frames.next();
    await video.close();
    expect(await codeOf(() => frames.next())).toBe('Closed');
    expect(await codeOf(() => readClip(video, [0]))).toBe('Closed');
  });
});
