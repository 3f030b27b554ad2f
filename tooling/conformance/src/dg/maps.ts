import { DgSelfAttention } from '@saccade/dg-attention';
import { Module, type StateTensor } from '@saccade/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Checks } from '../Checks.ts';
import { differentiate } from '../differentiate.ts';
import type { Golden } from '../Golden.ts';
import { channelsFirst, channelsLast } from '../layout.ts';
import { compareRouting, recordRouting } from './operator.ts';

/** A piece of a network between maps [B, H, W, C]. */
export interface MapModule extends Module {
  forward(x: tf.Tensor4D): tf.Tensor4D;
}

/**
 * Replays a module of maps: in evaluation mode where the file has its output, then forward and backward in training mode,
 * with the running statistics after it; each time with what its DG-Attention decided.
 *
 * @param prefix under which the file knows the weights: `stem` for `state.stem.conv0.weight`
 */
export async function replayMaps(create: () => MapModule, golden: Golden, checks: Checks, prefix = ''): Promise<void> {
  const hasModes = golden.has('output.eval');
  if (hasModes) {
    using evaluated = loaded(create(), golden, prefix);
    evaluated.eval();
    const routing = recordAll(evaluated);
    const output = tf.tidy(() => channelsFirst(evaluated.forward(mapOf(golden, 'input'))));
    await checks.tensors('forward', { 'output.eval': output });
    await compareAll(routing, checks, 'route.eval.');
  }
  using trained = loaded(create(), golden, prefix);
  trained.train();
  const routing = recordAll(trained);
  const [input, gradOutput] = [mapOf(golden, 'input'), mapOf(golden, 'grad_output')];
  const { output, gradInput, gradients } = await differentiate(trained, input, gradOutput, (x) =>
    trained.forward(x as tf.Tensor4D),
  );
  await checks.tensors('forward', { [hasModes ? 'output.train' : 'output']: channelsFirst(output) });
  await checks.tensors('gradients', { grad_input: channelsFirst(gradInput) });
  tf.dispose([output, gradInput]);
  checks.under('gradients', 'grad.', gradients);
  checks.under('statistics', 'state_after.', await trained.stateDict());
  await compareAll(routing, checks, 'route.train.');
}

/** What every DG-Attention of a module decides in the next forward pass, in their order. */
export function recordAll(module: Module): ReturnType<typeof recordRouting>[] {
  return [...module.namedModules()].flatMap(([, part]) =>
    part instanceof DgSelfAttention ? [recordRouting(part)] : [],
  );
}

/** Compares what {@link recordAll} recorded with the file's `{prefix}{j}.assign` and `{prefix}{j}.topk_sorted`. */
export async function compareAll(
  routing: readonly ReturnType<typeof recordRouting>[],
  checks: Checks,
  prefix: string,
): Promise<void> {
  for (const [j, recorded] of routing.entries()) await compareRouting(recorded, checks, `${prefix}${j}.`);
}

/** A module under the name by which a file knows it, with the weights of the file. */
function loaded(module: MapModule, golden: Golden, prefix: string): MapModule {
  const named = new Named(prefix, module);
  named.loadStateDict(withCounters(golden.state('state.'), named));
  return named;
}

class Named extends Module implements MapModule {
  readonly #module: MapModule;

  constructor(prefix: string, module: MapModule) {
    super();
    this.#module = this.child(prefix, module);
  }

  forward(x: tf.Tensor4D): tf.Tensor4D {
    return this.#module.forward(x);
  }
}

/** A file's state dict with the counters of BatchNorms, which these files leave out. */
export function withCounters(state: ReadonlyMap<string, StateTensor>, module: Module): Map<string, StateTensor> {
  const counters = [...module.stateShapes().keys()].filter((name) => name.endsWith('.num_batches_tracked'));
  const none: StateTensor = { dtype: 'int64', shape: [], data: BigInt64Array.of(0n) };
  return new Map([...counters.map((name) => [name, none] as const), ...state]);
}

/** A map of the file, channels last. */
export function mapOf(golden: Golden, name: string): tf.Tensor4D {
  return tf.tidy(() => channelsLast<tf.Tensor4D>(golden.tensor(name)));
}
