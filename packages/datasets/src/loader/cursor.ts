import { DatasetError } from '../errors.ts';
import type { SampleOrder } from './order.ts';

const FORMAT = 'saccade-loader-1';

/** Where a run over batches stands: plain data, to be stored as JSON. */
export interface LoaderCursor {
  readonly format: typeof FORMAT;
  /** batches that were given out, and so the step to go on with */
  readonly step: number;
  /** N and the options of the order: a loader of others would go on with other samples */
  readonly length: number;
  readonly order: SampleOrder['options'];
}

export function cursorAt({ length, options }: SampleOrder, step: number): LoaderCursor {
  return { format: FORMAT, step, length, order: options };
}

/**
 * The step that a cursor points to.
 *
 * @throws DatasetError `cursor` if it is none, or of a loader whose order differs
 */
export function stepOf(cursor: unknown, order: SampleOrder): number {
  const { format, step, length, order: options } = (cursor ?? {}) as Partial<Record<keyof LoaderCursor, unknown>>;
  if (format !== FORMAT) throw wrong('format', FORMAT, format, 'Store what `cursor` of a batch gives.');
  if (typeof step !== 'number' || !Number.isSafeInteger(step) || step < 0) throw wrong('step', 'an integer >= 0', step);
  if (length !== order.length) throw wrong('length', `${order.length}, the samples of this data set`, length);
  const theirs = (options ?? {}) as Record<string, unknown>;
  for (const [name, value] of Object.entries(order.options)) {
    if (theirs[name] !== value) {
      throw wrong(
        `order.${name}`,
        `${value}, as this loader has it`,
        theirs[name],
        'Make the loader as it was made then.',
      );
    }
  }
  return step;
}

function wrong(field: string, expected: string, actual: unknown, hint?: string): DatasetError {
  return new DatasetError({
    code: 'cursor',
    argument: `cursor.${field}`,
    expected,
    actual: typeof actual === 'string' ? JSON.stringify(actual.slice(0, 100)) : String(actual),
    ...(hint === undefined ? {} : { hint }),
  });
}
