import {
  type ArrayBatch,
  type BatchReader,
  clipDataset,
  indexFrameList,
  readerOf,
  stackExamples,
} from '@saccade/datasets';
import { nodeFiles } from '@saccade/datasets/node';
import { decodeImage } from '@saccade/media/node';

/** Where the clips lie that `clips.node.ts` wrote: folders of frames and a list. */
export interface ClipFiles {
  readonly root: string;
  readonly classes: number;
}

/** Grey levels of these clips have about this mean and standard deviation, of 255, as in the demo. */
const [MEAN, STD] = [0.04, 0.15];

/** Reads clips from files as [T, H, W, 1], normalised: in the main thread, or in workers, which import this module. */
export async function createReader({ root, classes }: ClipFiles): Promise<BatchReader<ArrayBatch>> {
  const files = await nodeFiles(root);
  const index = await indexFrameList(files, 'list.txt', { pattern: 'img_%05d.jpg', classes });
  const dataset = clipDataset(index, {
    files,
    decode: decodeImage,
    sampler: (length) => Array.from({ length }, (_, t) => t),
    transform(frames) {
      const [{ width, height }] = frames as [(typeof frames)[number], ...typeof frames];
      const data = new Float32Array(frames.length * width * height);
      frames.forEach((frame, t) => {
        // Grey: the three channels are the same.
        for (let p = 0; p < width * height; p++) {
          data[t * width * height + p] = ((frame.data[3 * p] as number) / 255 - MEAN) / STD;
        }
      });
      return { data, shape: [frames.length, height, width, 1] };
    },
  });
  return readerOf(dataset, {
    collate: (samples) => stackExamples(samples.map(({ clip, label }) => ({ ...clip, label }))),
  });
}
