import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DigitSet, MotionDataset } from '@saccade/datasets';
import sharp from 'sharp';
import type { ClipFiles } from './clipFiles.ts';

/** Writes clips of the demo's motion task as folders of JPEG files and a list; see clipFiles.ts. */
export async function writeClips(root: string, digits: DigitSet, length: number): Promise<ClipFiles> {
  const clips = new MotionDataset({ digits, task: 'motion', split: 'train', length, seed: 1 });
  const [frames, height, width] = clips.shape;
  const lines: string[] = [];
  for (let index = 0; index < length; index++) {
    const { frames: pixels, label } = clips.get(index);
    await mkdir(join(root, `${index}`), { recursive: true });
    for (let t = 0; t < frames; t++) {
      const frame = pixels.subarray(t * height * width, (t + 1) * height * width);
      const file = sharp(frame, { raw: { width, height, channels: 1 } }).jpeg({ quality: 90 });
      await writeFile(join(root, `${index}`, `img_${String(t + 1).padStart(5, '0')}.jpg`), await file.toBuffer());
    }
    lines.push(`${index} ${frames} ${label}`);
  }
  await writeFile(join(root, 'list.txt'), lines.join('\n'));
  return { root, classes: clips.classes.length };
}
