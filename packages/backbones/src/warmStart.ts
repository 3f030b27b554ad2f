import type { SavedTensor, StateDict, StateTensor } from '@saccade/nn';
import { StructSelfAttention } from '@saccade/structsa';
import { ConfigError, product, Rng } from '@saccade/tensor-ops';
import type { Backbone } from './Backbone.ts';
import { inflateStateDict } from './inflate.ts';
import { WarmStartError } from './warmStartError.ts';

/** Options of {@link warmStartFromUniFormer}. */
export interface WarmStartOptions {
  /**
   * standard deviation of the normal numbers that are added to every value of the filters; default 0. At 0 the detectors
   * are alike and have the same gradients, so training never tells them apart: use a little, such as 0.01, to train
   */
  readonly noise?: number;
  /** seeds the noise; default 0 */
  readonly seed?: number;
}

/** What {@link warmStartFromUniFormer} gives. */
export interface WarmStart {
  /** complete: `target.loadStateDict(state)` takes it as it is */
  readonly state: Map<string, StateTensor>;
  /** true: the target's features are the UniFormer's to rounding; false with noise or a stride of keys and values */
  readonly exact: boolean;
  /** filters of StructSA that were made, `blocks3.0.attn.conv_k.weight`, ... */
  readonly filters: readonly string[];
  /** weights that were spread over time */
  readonly inflated: readonly string[];
  /** names that keep the values that the target has: classifiers of other classes, norms that a UniFormer does not have */
  readonly fresh: readonly string[];
  /** names of the checkpoint that were left out: classifiers of other classes, an `aux_head` that the target does not have */
  readonly dropped: readonly string[];
}

/** What a target may have that a UniFormer has not, or for other classes: classifiers, and LayerNorms of stages. */
const REPLACEABLE = /^(head|aux_head|norm\d+)\./;

/**
 * The weights of a UniFormer for a StructViT: every weight is copied, and the filters `conv_k` and `conv_v` of StructSA
 * become centred deltas, 1 in the middle and 0 elsewhere, plus noise.
 *
 * With deltas all D detectors see the token itself, and softmax over D equal copies of the keys gives what plain attention
 * gives: at noise 0 and stride 1 the StructViT computes exactly what the UniFormer computes, for any D and kernels. With
 * a stride of 2 it does not, since a quarter of the keys remains.
 *
 * An image checkpoint for a video target is spread over time ({@link inflateStateDict}). `head.*` is left out when the
 * class count differs, `aux_head.*` also when the target has none; the target's own values take their place.
 * Source: an identity of the operator (property 1 of the structsa specification). The paper itself (arXiv 2404.03924) trains
 * its image models from scratch and does not say how its filters start.
 *
 * The number of channels of a head shows nowhere in a checkpoint: that of the target must be the one it was trained with.
 *
 * ```ts
 * const model = createModel('structvit_s_4_1', { numClasses: 10 });
 * const { state } = await warmStartFromUniFormer(checkpoint, model, { noise: 0.01, seed: 1 });
 * model.loadStateDict(state);
 * ```
 *
 * @param checkpoint under UniFormer's names and in PyTorch's layouts: what lies under `model` or `model_state` in the file
 * @param target read, not changed
 * @throws WarmStartError if names or shapes do not fit, with those that are near; ConfigError for a noise below 0, a target
 * without StructSA or a checkpoint that is a StructViT's
 */
export async function warmStartFromUniFormer(
  checkpoint: StateDict,
  target: Backbone,
  { noise = 0, seed = 0 }: WarmStartOptions = {},
): Promise<WarmStart> {
  if (!(noise >= 0 && Number.isFinite(noise))) throw new ConfigError('noise', 'a finite number >= 0', noise);
  const own = await target.stateDict();
  const { names: filters, strides } = structFilters(target);
  if (filters.size === 0) {
    const hint = 'A UniFormer takes the checkpoint by loadStateDict.';
    throw new ConfigError('target', 'a backbone with StructSA', 'one without', hint);
  }
  const made = [...checkpoint.keys()].find((name) => filters.has(name));
  if (made !== undefined) {
    throw new ConfigError(
      'checkpoint',
      'that of a UniFormer',
      `one with ${made}`,
      'A StructViT loads by loadStateDict.',
    );
  }

  const spread = inflateStateDict(gaining(checkpoint, own), own);
  const fits = (name: string) => sameShape((spread.get(name) ?? checkpoint.get(name))?.shape, own.get(name)?.shape);
  const usable = [...own.keys()].filter((name) => !filters.has(name));
  const fresh = usable.filter((name) => REPLACEABLE.test(name) && !fits(name));
  const wanted = usable.filter((name) => !fresh.includes(name));
  const dropped = [...checkpoint.keys()].filter(
    (name) => fresh.includes(name) || (name.startsWith('aux_head.') && !own.has(name)),
  );

  const missing = wanted.filter((name) => !checkpoint.has(name));
  const unexpected = [...checkpoint.keys()].filter((name) => !own.has(name) && !dropped.includes(name));
  const misshapen = wanted.flatMap((name) => {
    const actual = checkpoint.get(name)?.shape;
    const expected = (own.get(name) as SavedTensor).shape;
    return actual === undefined || fits(name) ? [] : [{ name, expected, actual }];
  });
  if (missing.length + unexpected.length + misshapen.length > 0) {
    throw new WarmStartError({ missing, unexpected, misshapen });
  }

  const rng = new Rng(seed);
  const state = new Map<string, StateTensor>();
  for (const [name, tensor] of own) {
    if (filters.has(name)) state.set(name, centredDelta(tensor.shape, noise, rng.fork(name)));
    else if (fresh.includes(name)) state.set(name, tensor);
    else state.set(name, (spread.get(name) ?? checkpoint.get(name)) as StateTensor);
  }
  const exact = noise === 0 && strides.every((stride) => stride === 1);
  return { state, exact, filters: [...filters], inflated: [...spread.keys()], fresh, dropped };
}

/** The names of all filters of StructSA in a backbone, and the strides of its layers. */
function structFilters(target: Backbone): { names: Set<string>; strides: number[] } {
  const names = new Set<string>();
  const strides: number[] = [];
  for (const [name, module] of target.namedModules()) {
    if (!(module instanceof StructSelfAttention)) continue;
    names.add(`${name}.conv_k.weight`).add(`${name}.conv_v.weight`);
    strides.push(module.stride);
  }
  return { names, strides };
}

/** The weights of images that become weights of clips: [O, I, kh, kw] where the target has [O, I, kt, kh, kw]. */
function gaining(checkpoint: StateDict, own: ReadonlyMap<string, SavedTensor>): Map<string, StateTensor> {
  return new Map(
    [...checkpoint].filter(([name, { shape }]) => {
      const [outputs, inputs, frames, ...space] = own.get(name)?.shape ?? [];
      return frames !== undefined && shape.length === 4 && sameShape(shape, [outputs, inputs, ...space] as number[]);
    }),
  );
}

/** Filters [F, 1, ...kernel] that are 1 in the centre and 0 elsewhere, plus noise. */
function centredDelta(shape: readonly number[], noise: number, rng: Rng): StateTensor {
  const taps = product(shape.slice(2));
  const centre = (taps - 1) / 2;
  const value = (i: number) => (i % taps === centre ? 1 : 0) + (noise === 0 ? 0 : noise * rng.normal());
  return { dtype: 'float32', shape, data: Float32Array.from({ length: product(shape) }, (_, i) => value(i)) };
}

function sameShape(a: readonly number[] | undefined, b: readonly number[] | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((size, axis) => size === b[axis]);
}
