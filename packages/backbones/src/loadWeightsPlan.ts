import type { Grid, ShapeConflict } from '@saccade/nn';
import { ConfigError } from '@saccade/tensor-ops';
import { applyKeyMap, type KeyLayout, type KeyMap, keyLayoutOf, keyMapBetween, unwrapper } from '@saccade/weights';
import { LoadWeightsError } from './loadWeightsError.ts';
import { arePositions, gainsTime, sameShape } from './loadWeightsShapes.ts';

/** Names with shapes: all that a plan needs of a file or of a model. */
export type Shapes = ReadonlyMap<string, { readonly shape: readonly number[] }>;

/** Options of `loadWeights` that decide which weights go where. */
export interface FitOptions {
  /** how names of the file become those of the model; default: found out from the names of both */
  readonly map?: KeyMap | undefined;
  /** when false, names that only the file or only the model has are left out and reported; default true */
  readonly strict?: boolean | undefined;
  /**
   * `keep` (default): the classifier comes from the file. `replace`: the model keeps its own, and that of the file is left
   * out. `drop`: the model has none, and that of the file is left out.
   */
  readonly head?: 'keep' | 'replace' | 'drop' | undefined;
  /** whether weights of an image network may be spread over time, as `inflateStateDict` does it; default false */
  readonly inflate?: boolean | undefined;
  /**
   * whether position embeddings may be resampled, as `resizePositionEmbedding` does it; `from` is the grid of the file's,
   * default the square of its number of positions; default false
   */
  readonly resizePositions?: boolean | { readonly from?: Grid } | undefined;
}

/** What goes where. All names but those of `origins` are the model's. */
export interface FitPlan {
  /** the layout of the file's names, and its map to the model's; undefined if it is not a known one */
  readonly layout: KeyLayout | undefined;
  readonly map: KeyMap;
  /** names in the file of what the model takes */
  readonly origins: ReadonlyMap<string, string>;
  readonly inflated: readonly string[];
  readonly resized: readonly string[];
  /** whether the class token of the file has no position, as in DeiT III: it gets one of zeros, which changes nothing */
  readonly classPosition: boolean;
  /** counters that files from before PyTorch 0.4.1 lack, which start at 0 as there */
  readonly zeroed: readonly string[];
  /** classifiers that keep the model's values */
  readonly kept: readonly string[];
  /** classifiers of the file that are left out */
  readonly dropped: readonly string[];
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

/**
 * Decides which tensor of a file goes where in a model; nothing is read.
 *
 * @throws LoadWeightsError if it does not fit; ConfigError for a `head` that the model contradicts; KeyMapError
 */
export function planFit(file: Shapes, model: Shapes, options: FitOptions): FitPlan {
  const { head = 'keep', strict = true } = options;
  const names = [...file.keys()];
  const short = unwrapper(names);
  const bare = new Map(names.map((name) => [short(name), name]));
  const layout = keyLayoutOf(bare.keys());
  const own = keyLayoutOf(model.keys());
  const map = options.map ?? keyMapBetween(layout, own);
  if (layout?.refusal !== undefined && options.map === undefined) throw LoadWeightsError.refused(layout);
  if (map === undefined) throw LoadWeightsError.otherArchitecture(layout, own);

  const heads = [...new Set([...(own?.heads ?? []), ...(layout?.heads ?? [])])];
  const isHead = (name: string) => heads.some((prefix) => name.startsWith(prefix));
  const origins = underOwnHead(applyKeyMap(map, bare).state, model, own?.heads ?? []);
  const ownHeads = [...model.keys()].filter(isHead);
  checkHead(head, ownHeads, own);
  const dropped = [...origins.keys()].filter(
    (name) => isHead(name) && (head !== 'keep' || (name.startsWith('aux_head.') && !model.has(name))),
  );
  for (const name of dropped) origins.delete(name);
  const kept = head === 'replace' ? ownHeads : [];

  const unexpected = [...origins.keys()].filter((name) => !model.has(name));
  const absent = [...model.keys()].filter((name) => !origins.has(name) && !kept.includes(name));
  const withoutCounters = ![...origins.keys()].some(isCounter);
  const zeroed = absent.filter((name) => withoutCounters && isCounter(name));
  const missing = absent.filter((name) => !zeroed.includes(name));

  const classPosition = lacksClassPosition(origins, file);
  const inflated: string[] = [];
  const resized: string[] = [];
  const misshapen: ShapeConflict[] = [];
  for (const [name, origin] of origins) {
    const expected = model.get(name)?.shape;
    const { shape } = file.get(origin) as { shape: readonly number[] };
    const actual = classPosition && name === 'pos_embed' ? shape.with(1, (shape[1] as number) + 1) : shape;
    if (expected === undefined || sameShape(expected, actual)) continue;
    if (options.inflate && gainsTime(actual, expected)) inflated.push(name);
    else if (options.resizePositions && arePositions(name, actual, expected)) resized.push(name);
    else misshapen.push({ name, expected, actual });
  }
  const report = { missing, unexpected, misshapen };
  if (misshapen.length > 0 || (strict && missing.length + unexpected.length > 0)) {
    throw new LoadWeightsError({ report, isHead });
  }
  for (const name of unexpected) origins.delete(name);
  return { layout, map, origins, inflated, resized, classPosition, zeroed, kept, dropped, missing, unexpected };
}

/** The classifier under the name that the model has for it: `new_fc` of one TSM is `base_model.fc` of another. */
function underOwnHead(
  origins: ReadonlyMap<string, string>,
  model: Shapes,
  heads: readonly string[],
): Map<string, string> {
  const firstIn = (names: Iterable<string>) => {
    const all = [...names];
    return heads.find((prefix) => all.some((name) => name.startsWith(prefix)));
  };
  const [from, to] = [firstIn(origins.keys()), firstIn(model.keys())];
  if (from === undefined || to === undefined || from === to) return new Map(origins);
  return new Map(
    [...origins].map(([name, origin]) => [name.startsWith(from) ? to + name.slice(from.length) : name, origin]),
  );
}

function checkHead(head: string, ownHeads: readonly string[], own: KeyLayout | undefined): void {
  if (!['keep', 'replace', 'drop'].includes(head)) throw new ConfigError('head', "'keep', 'replace' or 'drop'", head);
  if (head !== 'keep' && own === undefined) {
    throw new ConfigError('head', "'keep', since it is not known which weights of this model are its classifier", head);
  }
  if (head === 'replace' && ownHeads.length === 0) {
    throw new ConfigError('head', "'drop', since the model has no classifier", head);
  }
  if (head === 'drop' && ownHeads.length > 0) {
    throw new ConfigError('head', "'replace', since the model has a classifier, which keeps its values then", head);
  }
}

/** A class token, and positions that form a square without it. */
function lacksClassPosition(origins: ReadonlyMap<string, string>, file: Shapes): boolean {
  const positions = file.get(origins.get('pos_embed') ?? '')?.shape[1];
  if (positions === undefined || !origins.has('cls_token') || origins.has('dist_token')) return false;
  return Number.isInteger(Math.sqrt(positions)) && !Number.isInteger(Math.sqrt(positions - 1));
}

function isCounter(name: string): boolean {
  return name.endsWith('.num_batches_tracked');
}
