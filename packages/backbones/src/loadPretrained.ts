import {
  type FetchedWeights,
  type FetchWeights,
  type FetchWeightsOptions,
  keyLayoutOf,
  openWeights,
  fetchWeights as portableFetch,
  unwrapper,
  type WeightsFile,
} from '@saccade/weights';
import { checkpoint as checkpointNamed } from './catalogue.ts';
import type { Checkpoint } from './checkpoints.ts';
import { type LoadWeightsOptions, type LoadWeightsReport, loadWeights } from './loadWeights.ts';
import { LoadWeightsError } from './loadWeightsError.ts';
import { type CreateModelOptions, createModel, type ModelOf } from './models.ts';

/** Options of {@link fetchCheckpoint}. */
export interface FetchCheckpointOptions {
  /** that of `@saccade/weights/node` in Node, where files are kept on disk; default: that of `@saccade/weights`, for browsers */
  readonly fetchWeights?: FetchWeights | undefined;
  /** cache, progress of the download, headers, offline, ... */
  readonly fetchOptions?: FetchWeightsOptions | undefined;
  /** called with what one should know before relying on the file; nothing is printed */
  readonly onWarning?: ((warning: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@link loadPretrained}. */
export interface LoadPretrainedOptions
  extends FetchCheckpointOptions,
    CreateModelOptions,
    Pick<LoadWeightsOptions, 'head' | 'strict' | 'onProgress'> {}

/** What {@link loadPretrained} gives. */
export interface Pretrained {
  readonly model: ModelOf<string>;
  /** the file that it was loaded from, with the preprocessing that it expects */
  readonly checkpoint: Checkpoint;
  readonly report: LoadWeightsReport;
  /** what `onWarning` was called with */
  readonly warnings: readonly string[];
}

/**
 * A named model with public weights: fetches the file, or finds it in the cache, builds the model and loads.
 *
 * ```ts
 * import { fetchWeights } from '@saccade/weights/node';
 * const { model, checkpoint } = await loadPretrained('uniformer_s_video.k600', { fetchWeights, onWarning: console.warn });
 * evalTransform(image, checkpoint.transform); // of @saccade/media
 * ```
 *
 * @param what a name of `listCheckpoints()`; a model, for the first of its checkpoints; or a description of your own file
 * @param options `numClasses` other than the checkpoint's needs `head: 'replace'`. As any new model, it is in training mode
 * @throws ConfigError for an unknown name; FetchWeightsError; what opening throws; LoadWeightsError if the file is another
 *   than it should be or does not fit; the signal's reason. Nothing is left behind then, but the file in the cache
 */
export async function loadPretrained(
  what: string | Checkpoint,
  options: LoadPretrainedOptions = {},
): Promise<Pretrained> {
  const checkpoint = typeof what === 'string' ? checkpointNamed(what) : what;
  const warnings: string[] = [];
  const file = await fetchCheckpoint(checkpoint, {
    ...options,
    onWarning: (warning) => {
      warnings.push(warning);
      options.onWarning?.(warning);
    },
  });
  const { numClasses = checkpoint.numClasses, dropPath, seed, head, strict, onProgress, signal } = options;
  const built = {
    numClasses,
    ...(dropPath === undefined ? {} : { dropPath }),
    ...(seed === undefined ? {} : { seed }),
  };
  const model = createModel<string>(checkpoint.model, built);
  try {
    const report = await loadWeights(model, file, { head, strict, onProgress, signal });
    return { model, checkpoint, report, warnings };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/**
 * The file of a checkpoint, opened: fetched, or found in the cache, and found to be what the catalogue says by its hash,
 * where that is known, and by the names in it. For `loadWeights` into a model of your own, or `warmStartFromUniFormer`.
 *
 * @throws as {@link loadPretrained}
 */
export async function fetchCheckpoint(
  what: string | Checkpoint,
  { fetchWeights = portableFetch, fetchOptions, onWarning, signal }: FetchCheckpointOptions = {},
): Promise<WeightsFile> {
  const checkpoint = typeof what === 'string' ? checkpointNamed(what) : what;
  for (const warning of warningsOf(checkpoint)) onWarning?.(warning);
  const { reference, sha256, name, layout } = checkpoint;
  const weights = await fetchWeights(reference, {
    ...(sha256?.length === 64 ? { sha256 } : {}),
    ...(signal ? { signal } : {}),
    ...fetchOptions,
  });
  assertHash(checkpoint, weights);
  const file = await openWeights(weights.source);
  const found = keyLayoutOf(file.names.map(unwrapper(file.names)));
  if (found?.name !== layout) {
    throw new LoadWeightsError(
      `the file of ${name} should have names of the layout ${layout}, and has ` +
        `${found ? `those of ${found.title}` : 'unknown ones'}: ${reference} leads to another file than it did.`,
    );
  }
  return file;
}

function warningsOf({ name, verified, sha256, notes = [] }: Checkpoint): string[] {
  if (verified) return [...notes];
  const hash =
    sha256 === undefined ? 'its hash is not known either, so that nothing tells whether it is the right file' : '';
  const origin = 'its address, its licence and the model it fits are as its publisher states them';
  return [
    `${name} was never downloaded and run by Saccade: ${[origin, hash].filter((part) => part !== '').join('; ')}.`,
    ...notes,
  ];
}

/** Publishers that state a part of the hash state its first digits. */
function assertHash({ name, sha256 }: Checkpoint, { sha256: found, url }: FetchedWeights): void {
  if (sha256 === undefined || found.startsWith(sha256)) return;
  throw new LoadWeightsError(
    `the file of ${name} should have a SHA-256 that begins with ${sha256}, and ${url} has ${found}: it is another file, ` +
      'or damaged. Delete it from the cache before you try again.',
  );
}
