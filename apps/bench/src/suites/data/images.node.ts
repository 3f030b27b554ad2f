import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import {
  deitShortSide,
  evalTransform,
  type ImageDecoder,
  normalize,
  roundHalfEven,
  shortSideSize,
} from '@saccade/media';
import { decodeImage } from '@saccade/media/node';
import sharp from 'sharp';
import { compareValues } from '../../core/check.ts';
import type { Absent, Comparison, Contender, OwnTiming } from '../../core/comparison.ts';
import { LineProcess } from '../../external/lineProcess.node.ts';
import { preparing, type Undo } from '../../external/prepared.ts';
import { findPython, type Python } from '../../external/python.node.ts';
import { type WorkFolder, workFolder } from '../../external/workFolder.node.ts';
import { PICTURE, type PictureSize, picture } from './pictures.node.ts';

/** Side of the square that a model takes. */
const SIDE = 224;

/** libvips resizes by other weights than Pillow, which tells at edges: that a picture is the same picture is what is checked. */
const OTHER_RESIZING = 0.05;

/** A file of an image to what a model takes, by DeiT's evaluation transform: beside sharp alone, and Pillow and NumPy. */
export function imageComparison(
  format: 'jpeg' | 'png',
  size: PictureSize = PICTURE,
  pythons?: readonly string[],
): Comparison {
  return {
    suite: 'data',
    id: `image/${format}`,
    parameters: { format, width: size.width, height: size.height },
    prepare: () =>
      preparing(async (undo) => {
        const folder = await workFolder(undo);
        const path = folder.path(`picture.${format}`);
        await writeFile(path, await picture(format, size, 1));
        const bytes = await readFile(path);
        const python = await findPython(['Pillow', 'numpy'], pythons);
        const pillow = python && pillowContender(python, folder, path, undo);
        const bySharp = () => evalBySharp(bytes, size);
        // To be compared with: Pillow's numbers, which ours must be, or else sharp's, which are near.
        const expected = pillow === undefined ? await bySharp() : await pillow.numbers();
        const tolerance = pillow === undefined ? OTHER_RESIZING : 1e-6;
        const against = pillow === undefined ? 'sharp' : 'Pillow';
        const own = (decoder: ImageDecoder): Contender => {
          const transform = evalTransform({ size: SIDE });
          const work = async () => transform(await decodeImage(bytes, { decoder })).data;
          return {
            name: decoder === 'auto' ? 'Saccade' : `Saccade, ${decoder} decoder`,
            role: 'saccade',
            run: async () => void (await work()),
            check: async () => compareValues(against, [await work()], [expected], tolerance),
          };
        };
        const ours = [own('auto'), ...(format === 'jpeg' ? [own('wasm')] : [])];
        const peer: Contender = {
          name: 'sharp',
          role: 'peer',
          engine: `sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`,
          run: async () => void (await bySharp()),
          async check() {
            const reference = evalTransform({ size: SIDE })(await decodeImage(bytes)).data;
            return compareValues('Saccade', [await bySharp()], [reference], OTHER_RESIZING);
          },
        };
        return {
          contenders: [...ours, peer, ...(pillow ? [pillow.contender] : [])],
          baseline: 'sharp',
          ...(pillow === undefined && { absent: [NO_PILLOW] }),
        };
      }),
  };
}

const NO_PILLOW: Absent = {
  name: 'Pillow',
  reason: 'no Python with Pillow and NumPy was found; SACCADE_PYTHON names one',
};

/** The same steps by sharp, without shrinking JPEG files while they are decoded, which Pillow does not do either. */
async function evalBySharp(bytes: Buffer, { width, height }: PictureSize): Promise<Float32Array> {
  const resized = shortSideSize(width, height, deitShortSide(SIDE));
  const box = {
    left: roundHalfEven((resized.width - SIDE) / 2),
    top: roundHalfEven((resized.height - SIDE) / 2),
    width: SIDE,
    height: SIDE,
  };
  const data = await sharp(bytes)
    .resize({ ...resized, fit: 'fill', kernel: 'cubic', fastShrinkOnLoad: false })
    .extract(box)
    .removeAlpha()
    .raw()
    .toBuffer();
  return normalized({ data, width: SIDE, height: SIDE, channels: 3 }).data;
}

const normalized = normalize();

interface PillowWork {
  readonly contender: Contender;
  numbers(): Promise<Float32Array>;
}

function pillowContender(python: Python, folder: WorkFolder, path: string, undo: Undo): PillowWork {
  const script = fileURLToPath(new URL('pillow.py', import.meta.url));
  const process = new LineProcess({ program: python.program, args: [script] });
  undo.push(() => process.close());
  const task = { path, short: deitShortSide(SIDE), size: SIDE };
  const numbers = async () => {
    const out = folder.path('pillow.bin');
    await process.ask({ ...task, out });
    const { buffer, byteOffset, byteLength } = await readFile(out);
    return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
  };
  return {
    numbers,
    contender: {
      name: 'Pillow',
      role: 'peer',
      engine: `Pillow ${python.versions.Pillow}, NumPy ${python.versions.numpy}`,
      run: () => process.ask<OwnTiming>(task),
      async check() {
        const reference = evalTransform({ size: SIDE })(await decodeImage(await readFile(path))).data;
        return compareValues('Saccade', [await numbers()], [reference], 1e-6);
      },
    },
  };
}
