import type { Module, SavedTensor, StateDict, StateTensor } from '@saccade/nn';
import { ConfigError } from '@saccade/tensor-ops';
import type { Optimizer } from './optimizer.ts';

/**
 * All that a run needs to go on as if it had never stopped: weights, statistics, moments, step and seed.
 *
 * Flat tensors and strings, to be stored as is: `serializeSafetensors(state.tensors, state.metadata)` of
 * `@saccade/weights`, and `{tensors: file.toStateDict(), metadata: file.metadata}` back.
 */
export interface TrainingState<T extends StateTensor = StateTensor> {
  /** `model.*` and `optimizer.*`, in PyTorch's layouts */
  readonly tensors: ReadonlyMap<string, T>;
  /** `format`, `step` (steps done) and `seed` */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Where a run stands. */
export interface TrainingPosition {
  /** steps done */
  readonly step: number;
  readonly seed: number;
}

const FORMAT = 'saccade-training-1';
const MODEL = 'model.';
const OPTIMIZER = 'optimizer.';

/** Reads the state of a run. */
export async function captureState(
  model: Module,
  optimizer: Optimizer,
  { step, seed }: TrainingPosition,
): Promise<TrainingState<SavedTensor>> {
  const [weights, moments] = [await model.stateDict(), await optimizer.stateDict()];
  const entries = [...prefixed(MODEL, weights), ...prefixed(OPTIMIZER, moments)];
  return {
    tensors: new Map(entries),
    metadata: new Map([
      ['format', FORMAT],
      ['step', String(step)],
      ['seed', String(seed)],
    ]),
  };
}

/**
 * Puts a run back where it was when the state was captured.
 *
 * @throws ConfigError if it is no training state; StateDictError if it belongs to another model. The model may then hold
 *   the state's weights already, but no moments.
 */
export function restoreState(state: TrainingState, model: Module, optimizer: Optimizer): TrainingPosition {
  const format = state.metadata.get('format');
  if (format !== FORMAT) {
    throw new ConfigError(
      'state',
      `a training state (metadata format ${FORMAT})`,
      format,
      'Was it saved by captureState?',
    );
  }
  const position = { step: integer(state, 'step'), seed: integer(state, 'seed') };
  model.loadStateDict(unprefixed(MODEL, state.tensors));
  optimizer.loadStateDict(unprefixed(OPTIMIZER, state.tensors));
  return position;
}

function integer({ metadata }: TrainingState, key: string): number {
  const value = Number(metadata.get(key) ?? Number.NaN);
  if (!Number.isSafeInteger(value)) throw new ConfigError(`state.metadata.${key}`, 'an integer', metadata.get(key));
  return value;
}

function prefixed<T>(prefix: string, tensors: ReadonlyMap<string, T>): [string, T][] {
  return [...tensors].map(([name, tensor]) => [prefix + name, tensor]);
}

function unprefixed(prefix: string, tensors: StateDict): StateDict {
  const own = [...tensors].filter(([name]) => name.startsWith(prefix));
  return new Map(own.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}
