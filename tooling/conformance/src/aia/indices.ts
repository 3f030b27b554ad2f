import { join } from 'node:path';
import { parseFrameList } from '@saccade/datasets';
import {
  crop,
  denseFrames,
  fixedOffsets,
  multiScaleSizes,
  type NewImage,
  normalize,
  resize,
  type SegmentMode,
  segmentFrames,
  testCrops,
} from '@saccade/media';
import { GoldenError } from '../errors.ts';
import { Golden } from '../Golden.ts';
import type { DocumentChecks, DocumentHandler } from '../registry.ts';
import { FRAME, frameOf } from './pixels.ts';

type Document = Readonly<Record<string, unknown>>;
/** Frame indices by number of segments and clip. */
type Table = Readonly<Record<string, Readonly<Record<string, number[]>>>>;

/** Frame indices, crops and clips kept in training: numbers that are no tensors. */
export const indices: DocumentHandler = async (content, checks, directory) => {
  const document = content as Document;
  const frame = frameOf(await Golden.open(join(directory, 'data_pixels.safetensors')));
  for (const key of Object.keys(document)) {
    const compare = COMPARISONS[key];
    if (!compare) throw new GoldenError(`data_indices.json has "${key}", which nobody compares`);
    compare(key, document, checks, frame);
  }
};

type Comparison = (key: string, document: Document, checks: DocumentChecks, frame: NewImage) => void;

const COMPARISONS: Readonly<Record<string, Comparison>> = {
  annotation_lines: (key, document, checks) => {
    const lines = document[key] as string[];
    const written = parseFrameList(lines.join('\n')).map(({ path, frames, label }) => `${path} ${frames} ${label}`);
    checks(key, differing(written, lines));
  },
  kept_when_training: (key, document, checks) => {
    const text = (document.annotation_lines as string[]).join('\n');
    const kept = parseFrameList(text, { minFrames: 3 }).map(({ path }) => path);
    checks(key, differing(kept, document[key]));
  },
  test_center: sampler('center'),
  val_nonrandom_train: sampler('fixed'),
  twice: sampler('twice'),
  dense_test: table((length, segments) => denseFrames(length, { segments }).map(fromOne)),
  // How long the segments are of which training draws frames: what a random source at its upper end draws, plus one.
  train_average_duration: table((length, segments) => {
    const [first] = segmentFrames(length, { segments, mode: 'random', random: { uniform: (_, high) => high } });
    return length < segments ? 0 : (first as number) + 1;
  }),
  center224: normalised(224),
  center240: normalised(240),
  ...threeCrops(224),
  ...threeCrops(240),
  multiscale_pairs_wh: (key, document, checks) => {
    const pairs = multiScaleSizes(FRAME).map(({ width, height }) => [width, height] as const);
    checks(
      key,
      differing(
        pairs.sort(([a, b], [c, d]) => a - c || b - d),
        document[key],
      ),
    );
  },
  multiscale_offsets: (key, document, checks) => {
    for (const [pair, offsets] of Object.entries(document[key] as Record<string, unknown>)) {
      const [width, height] = JSON.parse(pair.replace('(', '[').replace(')', ']')) as [number, number];
      checks(`${key} ${pair}`, differing(places(fixedOffsets(FRAME, { width, height })), offsets));
    }
  },
  five_crop_offsets_224: (key, document, checks) => {
    checks(key, differing(places(testCrops(5, FRAME, 224)), document[key]));
  },
  // A crop that shows the resizing: its size is one of the pairs, its place is free.
  multiscale_example_cw_ch_ox_oy: (key, document, checks) => {
    const [width, height] = document[key] as [number, number];
    const known = multiScaleSizes(FRAME).some((size) => size.width === width && size.height === height);
    checks(key, Number(!known));
  },
  multiscale_example_mean: (key, document, checks, frame) => {
    const [width, height, left, top] = document.multiscale_example_cw_ch_ox_oy as [number, number, number, number];
    const cut = crop(frame, { width, height, left, top });
    const { data } = resize(cut, { width: 224, height: 224, filter: 'bilinear' });
    checks(key, apart(mean(data), document[key] as number));
  },
};

function sampler(mode: SegmentMode): Comparison {
  return table((length, segments) => segmentFrames(length, { segments, mode }).map(fromOne));
}

/** The reference's files count from 1. */
function fromOne(index: number): number {
  return index + 1;
}

/** Compares a function of a clip's length and the number of segments with a table of them. */
function table(values: (length: number, segments: number) => unknown): Comparison {
  return (key, document, checks) => {
    for (const [segments, clips] of Object.entries(document[key] as Table)) {
      const wrong = Object.entries(clips).filter(([clip, expected]) => {
        const length = Number(clip.replace('clip_', ''));
        return differing(values(length, Number(segments)), expected) > 0;
      });
      checks(`${key} of ${segments} segments`, wrong.length);
    }
  };
}

function normalised(size: number): Comparison {
  return (key, document, checks, frame) => {
    const expected = document[key] as { shape: number[]; mean: number; std: number };
    const [box] = testCrops(1, frame, size);
    const { data, shape } = normalize()(crop(frame, box as NonNullable<typeof box>));
    const centre = mean(data);
    const spread = Math.sqrt(mean(Float64Array.from(data, (value) => (value - centre) ** 2)));
    checks(`${key} shape`, differing([shape[2], shape[0], shape[1]], expected.shape));
    checks(`${key} mean and std`, apart(centre, expected.mean) + apart(spread, expected.std));
  };
}

/** Left, right and centre at full height: where, with which mean, and the first pixel. */
function threeCrops(size: number): Readonly<Record<string, Comparison>> {
  const crops = (frame: NewImage) => testCrops(3, frame, size).map((box) => crop(frame, box).data);
  return {
    [`fullres3_${size}_offsets_xy_left_right_center`]: (key, document, checks) => {
      checks(key, differing(places(testCrops(3, FRAME, size)), document[key]));
    },
    [`fullres3_${size}_means`]: (key, document, checks, frame) => {
      const expected = document[key] as number[];
      checks(
        key,
        crops(frame).reduce((wrong, data, i) => wrong + apart(mean(data), expected[i] as number), 0),
      );
    },
    [`fullres3_${size}_first_px`]: (key, document, checks, frame) => {
      checks(
        key,
        differing(
          crops(frame).map((data) => [...data.subarray(0, 3)]),
          document[key],
        ),
      );
    },
  };
}

function places(offsets: readonly { readonly left: number; readonly top: number }[]): [number, number][] {
  return offsets.map(({ left, top }) => [left, top]);
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}

/** 1 if two means differ by more than the rounding of float32 sums. */
function apart(actual: number, expected: number): number {
  return Number(!(Math.abs(actual - expected) <= 1e-5 * Math.max(1, Math.abs(expected))));
}

/** How many entries of two lists differ; 1 for lists of different length or values that are not lists. */
function differing(actual: unknown, expected: unknown): number {
  if (!Array.isArray(actual) || !Array.isArray(expected) || actual.length !== expected.length) {
    return Number(JSON.stringify(actual) !== JSON.stringify(expected));
  }
  return actual.filter((value, i) => JSON.stringify(value) !== JSON.stringify(expected[i])).length;
}
