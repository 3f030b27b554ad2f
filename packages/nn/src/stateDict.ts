import { SaccadeError } from '@saccade/tensor-ops';

/** A tensor of a state dict: plain values in PyTorch's order. The readers of `@saccade/weights` give this form. */
export interface StateTensor {
  /** `float32`, `int64`, ...: how the values were stored; a wider description than the array's type. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> | BigInt64Array | BigUint64Array;
}

/** A tensor that a module saved: one of the two kinds that modules have. */
export type SavedTensor =
  | { readonly dtype: 'float32'; readonly shape: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: 'int64'; readonly shape: readonly number[]; readonly data: BigInt64Array };

/** Weights and buffers by their PyTorch names (`blocks3.0.attn.qkv.weight`), in the order of the modules. */
export type StateDict = ReadonlyMap<string, StateTensor>;

/** A tensor whose shape is not the one the model has at that name. */
export interface ShapeConflict {
  readonly name: string;
  readonly expected: readonly number[];
  readonly actual: readonly number[];
}

/** What a state dict and a model disagree about. */
export interface LoadReport {
  /** names of the model that the state dict lacks */
  readonly missing: readonly string[];
  /** names of the state dict that the model lacks */
  readonly unexpected: readonly string[];
  readonly misshapen: readonly ShapeConflict[];
}

const LISTED = 12;

/** A state dict does not fit a model; nothing was loaded. The message lists what differs, `report` holds all of it. */
export class StateDictError extends SaccadeError {
  override readonly name = 'StateDictError';
  readonly report: LoadReport;

  constructor(report: LoadReport) {
    const { missing, unexpected, misshapen } = report;
    super(
      [
        'stateDict: it does not fit this model; nothing was loaded.',
        section('missing in the state dict', missing),
        section('unexpected in the state dict', unexpected),
        section(
          'of another shape',
          misshapen.map(({ name, expected, actual }) => `${name}: expected [${expected}], got [${actual}]`),
        ),
        'Load a checkpoint of this architecture and class count, or pass {strict: false} to leave out what is missing or unexpected.',
      ]
        .filter((line) => line !== '')
        .join('\n'),
    );
    this.report = report;
  }
}

function section(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return '';
  const more = lines.length > LISTED ? [`  ... and ${lines.length - LISTED} more`] : [];
  return [`${lines.length} ${title}:`, ...lines.slice(0, LISTED).map((line) => `  ${line}`), ...more].join('\n');
}
