import { Rng } from '@saccade/tensor-ops';
import sharp from 'sharp';

/** Width and height of the mean picture of ImageNet, about. */
export const PICTURE = { width: 500, height: 375 } as const;

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** A picture with large shapes, edges and grain, as photographs have; each seed gives another one. */
export async function picture(format: 'jpeg' | 'png', { width, height }: PictureSize, seed: number): Promise<Buffer> {
  const rng = new Rng(seed);
  const waves = Array.from({ length: 9 }, () => ({
    x: rng.uniform(-6, 6) / width,
    y: rng.uniform(-6, 6) / height,
    phase: rng.uniform(0, 6),
  }));
  const data = Buffer.alloc(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const edge = (x * 7) / width + (y * 3) / height > 4 ? 40 : 0;
      for (let c = 0; c < 3; c++, at++) {
        const shapes = waves
          .slice(3 * c, 3 * c + 3)
          .map((wave) => Math.sin(2 * Math.PI * (wave.x * x + wave.y * y) + wave.phase));
        const level = 100 + edge + 25 * shapes.reduce((sum, value) => sum + value, 0) + rng.uniform(-8, 8);
        data[at] = Math.max(0, Math.min(255, Math.round(level)));
      }
    }
  }
  const image = sharp(data, { raw: { width, height, channels: 3 } });
  return await (format === 'jpeg' ? image.jpeg({ quality: 90 }) : image.png()).toBuffer();
}
