import {
  changedImage,
  IMAGENET_MEAN,
  IMAGENET_STD,
  type PixelImage,
  seededSource,
  type TrainDraw,
  type TrainTransform,
  trainTransform,
} from '@saccade/media';
import { decodeImage } from '@saccade/media/node';
import { compareValues } from '../../core/check.ts';
import type { Bench, Comparison, Contender, OwnTiming } from '../../core/comparison.ts';
import type { CheckResult } from '../../core/row.ts';
import { PICTURE, type PictureSize, picture } from './pictures.node.ts';

/**
 * JPEG files decoded, and decoded and changed by DeiT's training transform (random crop, flip, RandAugment, erasing; the same
 * draws in every run): what augmentation costs beside decoding.
 */
export function augmentComparison(images: number, size: PictureSize = PICTURE): Comparison {
  return {
    suite: 'data',
    id: 'augment/jpeg',
    parameters: { images, width: size.width, height: size.height },
    async prepare(bench) {
      const files = await Promise.all(Array.from({ length: images }, (_, seed) => picture('jpeg', size, seed)));
      const training = trainTransform();
      const random = seededSource(1);
      const samples = files.map((bytes): Sample => ({ bytes, draw: training.draw(random, size) }));
      const decode: Contender = {
        name: 'decode',
        role: 'saccade',
        run: () => timedSamples(bench, samples, ({ bytes }) => decodeImage(bytes)),
        check: () => checkDecoding(files),
      };
      const augment: Contender = {
        name: 'decode and trainTransform',
        role: 'saccade',
        run: () =>
          timedSamples(bench, samples, async ({ bytes, draw }) => training.apply([await decodeImage(bytes)], draw)),
        check: () => checkTraining(training, samples),
      };
      return { contenders: [decode, augment], baseline: decode.name, dispose() {} };
    },
  };
}

interface Sample {
  readonly bytes: Uint8Array;
  readonly draw: TrainDraw;
}

async function timedSamples(
  { now, cpu }: Bench,
  samples: readonly Sample[],
  work: (sample: Sample) => Promise<unknown>,
): Promise<OwnTiming> {
  const [began, used] = [now(), cpu?.()];
  for (const sample of samples) await work(sample);
  const wallMs = now() - began;
  const cpuMs = used === undefined ? undefined : (cpu?.() as number) - used;
  return {
    wallMs,
    ...(cpuMs !== undefined && { cpuMs }),
    quantities: { imagesPerSecond: (1000 * samples.length) / wallMs },
  };
}

/** Against the other decoder of JPEG. */
async function checkDecoding(files: readonly Uint8Array[]): Promise<CheckResult> {
  const decoded = (decoder: 'auto' | 'wasm') =>
    Promise.all(files.map(async (bytes) => (await decodeImage(bytes, { decoder })).data));
  return compareValues('the wasm decoder', await decoded('auto'), await decoded('wasm'), 0);
}

/** Against the drawn changes, one by one, and the formula of normalising; without erasing, which draws anew. */
async function checkTraining(training: TrainTransform, samples: readonly Sample[]): Promise<CheckResult> {
  const [actual, expected]: [Float32Array[], number[][]] = [[], []];
  for (const { bytes, draw } of samples) {
    const image: PixelImage = await decodeImage(bytes);
    actual.push(training.apply([image], { changes: draw.changes, erasures: [] }).data);
    const { data } = draw.changes.reduce((current, change) => changedImage(current, [change]), image);
    const normalized = (value: number, i: number) =>
      (value / 255 - (IMAGENET_MEAN[i % 3] as number)) / (IMAGENET_STD[i % 3] as number);
    expected.push(Array.from(data, normalized));
  }
  return compareValues('the drawn changes one by one', actual, expected, 1e-6);
}
