import type { Comparison, Suite } from '../../core/comparison.ts';
import { augmentComparison } from './augment.node.ts';
import { imageComparison } from './images.node.ts';
import { loadingComparison, WAYS } from './loading.node.ts';
import { videoComparison } from './video.node.ts';

/** From files of videos and images to batches: beside ffmpeg, sharp and Pillow on the same files. */
export const dataSuite: Suite = {
  name: 'data',
  title: 'Videos, images and loaders',
  homes: ['node'],
  backends: ['wasm'],
  comparisons: ({ scale }): Comparison[] =>
    scale === 'quick'
      ? // Without videos: of a short one, starting a process and threads takes most of the time, and differs every time.
        [
          imageComparison('jpeg'),
          augmentComparison(2),
          loadingComparison({ ways: [WAYS.nothingAhead, WAYS.oneWorker], clips: 16, batch: 2, steps: 2 }),
        ]
      : [
          videoComparison({ name: '720p-key250', ...HD, keyFrames: 250 }),
          videoComparison({ name: '720p-key30', ...HD, keyFrames: 30 }),
          imageComparison('jpeg'),
          imageComparison('png'),
          augmentComparison(8),
          loadingComparison({ ways: Object.values(WAYS), clips: 128, batch: 16, steps: 4 }),
        ],
};

/** 10 seconds of 720p, of which 16 frames are read. */
const HD = { width: 1280, height: 720, frames: 300, wanted: 16 };
