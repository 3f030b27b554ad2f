import type { Module, StateDict, StateTensor } from '@saccade/nn';
import { ConfigError, product } from '@saccade/tensor-ops';
import { unwrapper } from '@saccade/weights';
import { inflateStateDict } from './inflate.ts';
import { type FitOptions, type FitPlan, planFit, type Shapes } from './loadWeightsPlan.ts';
import { resizePositionEmbedding } from './positionEmbedding.ts';
import { ResNetVideo } from './ResNetVideo.ts';
import { assertShifts } from './resnetKeys.ts';
import { VisionTransformer } from './VisionTransformer.ts';

/** An opened file of weights: what all readers of `@saccade/weights` give. */
export interface NamedTensors {
  readonly names: readonly string[];
  info(name: string): { readonly shape: readonly number[] };
  get(name: string): StateTensor | Promise<StateTensor>;
}

/** Options of {@link loadWeights}. */
export interface LoadWeightsOptions extends FitOptions {
  readonly signal?: AbortSignal | undefined;
  /** values that were read, of all that the model takes */
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/** What {@link loadWeights} did. The names are the model's; `unexpected` and `dropped` are the file's, renamed. */
export interface LoadWeightsReport {
  /** the layout of the file's names (`uniformer`, `tsm`, ...); undefined if it is not a known one */
  readonly layout: string | undefined;
  /** the map by which names of the file became the model's */
  readonly map: string;
  readonly loaded: readonly string[];
  /** of those loaded: spread over time */
  readonly inflated: readonly string[];
  /** of those loaded: resampled for another grid */
  readonly resized: readonly string[];
  /** counters that start at 0, since files from before PyTorch 0.4.1 lack them */
  readonly zeroed: readonly string[];
  /** classifiers that keep the model's values */
  readonly kept: readonly string[];
  /** classifiers of the file that were left out */
  readonly dropped: readonly string[];
  /** with `strict: false`: names that keep the model's values, since the file lacks them */
  readonly missing: readonly string[];
  /** with `strict: false`: names of the file that were left out, since the model lacks them */
  readonly unexpected: readonly string[];
}

/**
 * Loads a file of weights, or a state dict, into a model: all that fits or, when it throws, nothing.
 *
 * The names tell what the file is (official UniFormer, DeiT and timm, torchvision, MIT's TSM, AIA, ours); they are renamed
 * for the model, without `module.` and `_orig_mod.`. Only what the model takes is read.
 *
 * ```ts
 * const file = await openTorch(await openFile('resnet50.pth'));
 * const model = createModel('tsm_resnet50');
 * const { loaded, kept } = await loadWeights(model, file.stateDict(), { head: 'replace' });
 * ```
 *
 * @throws LoadWeightsError if the weights do not fit, with what to do; ConfigError for options that the model contradicts, or
 *   a TSM that shifts elsewhere; KeyMapError if renaming fails; what the file throws; the signal's reason
 */
export async function loadWeights(
  model: Module,
  weights: StateDict | NamedTensors,
  options: LoadWeightsOptions = {},
): Promise<LoadWeightsReport> {
  const { state, report } = await fitWeights(model, weights, options);
  model.loadStateDict(state, { strict: false });
  return report;
}

/**
 * The weights that {@link loadWeights} would load, under the model's names and in its shapes, without loading them.
 *
 * @throws as {@link loadWeights}
 */
export async function fitWeights(
  model: Module,
  weights: StateDict | NamedTensors,
  options: LoadWeightsOptions = {},
): Promise<{ state: Map<string, StateTensor>; report: LoadWeightsReport }> {
  const file = 'names' in weights ? weights : namedTensors(weights);
  const shapes = model.stateShapes();
  const plan = planFit(new Map(file.names.map((name) => [name, file.info(name)])), shapes, options);
  if (plan.layout?.name === 'tsm' && model instanceof ResNetVideo) {
    assertShifts(file.names.map(unwrapper(file.names)), model.config);
  }
  const read = await readTensors(file, plan, options);
  const state = zeroed(resized(positioned(inflated(read, plan, shapes), plan), plan, model, options), plan);
  const { layout, map, origins, classPosition, ...rest } = plan;
  return { state, report: { layout: layout?.name, map: map.name, loaded: [...origins.keys()], ...rest } };
}

function namedTensors(state: StateDict): NamedTensors {
  const get = (name: string) => state.get(name) as StateTensor;
  return { names: [...state.keys()], info: get, get };
}

async function readTensors(
  file: NamedTensors,
  { origins }: FitPlan,
  { signal, onProgress }: LoadWeightsOptions,
): Promise<Map<string, StateTensor>> {
  const size = (origin: string) => product(file.info(origin).shape);
  const total = [...origins.values()].reduce((sum, origin) => sum + size(origin), 0);
  const read = new Map<string, StateTensor>();
  let done = 0;
  for (const [name, origin] of origins) {
    signal?.throwIfAborted();
    read.set(name, await file.get(origin));
    done += size(origin);
    onProgress?.({ done, total });
  }
  return read;
}

function inflated(state: Map<string, StateTensor>, plan: FitPlan, shapes: Shapes): Map<string, StateTensor> {
  const images = new Map(plan.inflated.map((name) => [name, state.get(name) as StateTensor]));
  return new Map([...state, ...inflateStateDict(images, shapes)]);
}

/** The position embedding with zeros for the class token, where that has none. */
function positioned(state: Map<string, StateTensor>, { classPosition }: FitPlan): Map<string, StateTensor> {
  const embedding = state.get('pos_embed');
  if (!classPosition || embedding === undefined) return state;
  const [one, tokens, channels] = embedding.shape as [number, number, number];
  const data = new Float32Array((1 + tokens) * channels);
  data.set(Float32Array.from(embedding.data as ArrayLike<number>), channels);
  return new Map(state).set('pos_embed', { dtype: 'float32', shape: [one, 1 + tokens, channels], data });
}

function resized(
  state: Map<string, StateTensor>,
  plan: FitPlan,
  model: Module,
  { resizePositions }: FitOptions,
): Map<string, StateTensor> {
  if (plan.resized.length === 0) return state;
  if (!(model instanceof VisionTransformer)) {
    const hint = 'Pass what resizePositionEmbedding() makes of the state dict.';
    throw new ConfigError('resizePositions', 'false, since the grid of this model is not known', resizePositions, hint);
  }
  const { from } = typeof resizePositions === 'object' ? resizePositions : {};
  return resizePositionEmbedding(state, model.config.grid, from === undefined ? {} : { from });
}

function zeroed(state: Map<string, StateTensor>, plan: FitPlan): Map<string, StateTensor> {
  const zero: StateTensor = { dtype: 'int64', shape: [], data: BigInt64Array.of(0n) };
  return new Map([...state, ...plan.zeroed.map((name): [string, StateTensor] => [name, zero])]);
}
