import type { LoadWeightsReport } from '@saccade/backbones';
import type { KeyMap, StateTensor, WeightsFile } from '@saccade/weights';
import { CommandFailure } from '../terminal/failure.ts';
import { withProgress } from '../terminal/progress.ts';
import { note, type Terminal } from '../terminal/terminal.ts';

/** How weights are fitted to a model. */
export interface FitToModelOptions {
  readonly map?: KeyMap | undefined;
  readonly classes?: number;
  readonly head?: 'keep' | 'replace';
  readonly inflate?: boolean;
  readonly resizePositions?: boolean;
}

/**
 * The weights of a file under the names and in the shapes of a model of `@saccade/backbones`.
 *
 * @throws CommandFailure for an unknown model, and if the weights do not fit it; what the file throws
 */
export async function fitToModel(
  name: string,
  file: Pick<WeightsFile, 'names' | 'info' | 'get'>,
  { map, classes, head, inflate, resizePositions }: FitToModelOptions,
  terminal: Terminal,
): Promise<Map<string, StateTensor>> {
  // TensorFlow.js takes its time to load, and no other command needs it.
  const [{ createModel, fitWeights }, { SaccadeError }, { setupBackend }] = await Promise.all([
    import('@saccade/backbones'),
    import('@saccade/tensor-ops'),
    import('@saccade/tensor-ops/node'),
  ]);
  await setupBackend('cpu');
  const { signal } = terminal;
  try {
    using model = createModel<string>(name, classes === undefined ? {} : { numClasses: classes });
    const { state, report } = await withProgress(terminal, 'read', ({ update }) =>
      fitWeights(model, file, {
        ...{ map, head, inflate, resizePositions, signal },
        // Of values, most of which take 4 bytes.
        onProgress: ({ done, total }) => update(4 * done, 4 * total),
      }),
    );
    noteChanges(report, terminal);
    // From a file of weights, or made by fitWeights as float32 and int64: never another kind of array.
    return state as Map<string, StateTensor>;
  } catch (error) {
    throw error instanceof SaccadeError ? new CommandFailure(error.message, { cause: error }) : error;
  }
}

function noteChanges({ inflated, resized, dropped, zeroed }: LoadWeightsReport, terminal: Terminal): void {
  for (const [what, names] of [
    ['spread over time', inflated],
    ['resampled', resized],
    ['left out', dropped],
    ['set to 0', zeroed],
  ] as const) {
    if (names.length > 0) note(terminal, `${what}: ${names.length}, such as ${names[0]}`);
  }
}
