import type { PixelImage } from '@saccade/media';
import { createDataset, type FailurePolicy, type SampleIndex } from '../createDataset.ts';
import type { Dataset, Sample, SampleInfo } from '../dataset.ts';
import { DatasetError } from '../errors.ts';
import type { SampleContext } from '../images/imageDataset.ts';
import type { ClipEntry } from './clipEntry.ts';
import { type ClipAccess, type ClipReader, openClip } from './clipReader.ts';

/** What a sampler is told beside the length of the clip. */
export interface SamplerContext<E extends SampleInfo = SampleInfo> extends SampleContext<E> {
  /** frames a second; undefined for frames that are image files */
  readonly fps: number | undefined;
}

/**
 * Chooses the frames to read, counted from 0, of a clip of `length` frames: `(length) => uniformFrames(length, { frames: 16 })`
 * of `@saccade/media`.
 */
export type FrameSampler<E extends SampleInfo = SampleInfo> = (
  length: number,
  context: SamplerContext<E>,
) => readonly number[];

/** Makes of sampled frames what a model takes. */
export type ClipTransform<X, E extends SampleInfo = SampleInfo> = (
  frames: readonly PixelImage[],
  context: SamplerContext<E>,
) => X | Promise<X>;

/** A clip with its label, and whatever else the annotation says. */
export type ClipSample<X = readonly PixelImage[], E extends SampleInfo = SampleInfo> = Omit<E, 'frames'> &
  Sample & {
    /** the sampled frames, or what `transform` made of them */
    readonly clip: X;
    /** their numbers in the clip, from 0 */
    readonly frames: readonly number[];
    /** frames of the whole clip */
    readonly length: number;
    readonly fps: number | undefined;
  };

/** Options of {@link clipDataset}. */
export interface ClipDatasetOptions<E extends SampleInfo> extends ClipAccess, FailurePolicy {
  readonly sampler: FrameSampler<E>;
}

/**
 * Sampled frames of clips by number. A clip is opened, the frames that the sampler wants are decoded, and it is closed.
 *
 * @returns samples whose `clip` are RGB frames, or what `transform` makes of them
 * @throws DatasetError `option`, `labels`; reading throws as {@link Dataset.get} says
 */
export function clipDataset<E extends ClipEntry, X>(
  index: SampleIndex<E>,
  options: ClipDatasetOptions<E> & { readonly transform: ClipTransform<X, E> },
): Dataset<ClipSample<X, E>>;
export function clipDataset<E extends ClipEntry>(
  index: SampleIndex<E>,
  options: ClipDatasetOptions<E>,
): Dataset<ClipSample<readonly PixelImage[], E>>;
export function clipDataset<E extends ClipEntry, X>(
  index: SampleIndex<E>,
  options: ClipDatasetOptions<E> & { readonly transform?: ClipTransform<X, E> },
): Dataset<ClipSample<X | readonly PixelImage[], E>> {
  const { sampler, transform } = options;
  return createDataset(
    index,
    async (info, number, { signal, random }) => {
      const reader = await openClip(info, options, signal);
      try {
        const { length, fps } = reader;
        const context = { index: number, info, random, signal, fps };
        const frames = sampler(length, context);
        if (frames.length === 0) throw nothingSampled(info.path);
        const images = await reader.read(frames, signal);
        const clip = transform ? await transform(images, context) : images;
        return { ...info, index: number, clip, frames, length, fps };
      } finally {
        await reader.close();
      }
    },
    options,
  );
}

/** A clip that is opened and not read: `source` is the caller's to close. */
export type OpenedClipSample<E extends SampleInfo = SampleInfo> = Omit<E, 'frames'> &
  Sample & { readonly source: ClipReader };

/**
 * Opened clips by number, for callers that choose frames themselves. Close `source` of every sample.
 *
 * @throws as {@link clipDataset}
 */
export function openedClipDataset<E extends ClipEntry>(
  index: SampleIndex<E>,
  options: ClipAccess & FailurePolicy,
): Dataset<OpenedClipSample<E>> {
  return createDataset(
    index,
    async (info, number, { signal }) => ({ ...info, index: number, source: await openClip(info, options, signal) }),
    options,
  );
}

function nothingSampled(path: string): DatasetError {
  return new DatasetError({
    code: 'option',
    argument: 'sampler',
    expected: `the numbers of frames of ${path}`,
    actual: 'none',
  });
}
