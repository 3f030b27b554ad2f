/** What kind of problem a {@link DatasetError} reports. */
export type DatasetErrorCode =
  /** Not an IDX file of unsigned bytes, or of another number of dimensions than asked for. */
  | 'idx-magic'
  /** A size in the header of an IDX file is zero, or larger than the file could hold. */
  | 'idx-dimensions'
  /** An IDX file ends before the data that its header promises. */
  | 'idx-truncated'
  /** An IDX file goes on after the data that its header promises. */
  | 'idx-trailing'
  /** A line of a list of clips is not as its format says. */
  | 'list'
  /** Another annotation file (CSV, JSON, MATLAB, text) is not as its format says. */
  | 'annotation'
  /** An annotation or a caller names a file outside of the data set's root. */
  | 'path'
  /** Images and labels do not belong together, or a label is out of range. */
  | 'labels'
  /** A file of the data set is not there, or cannot be read. */
  | 'missing'
  /** A file of a sample is there, but gives no sample: it cannot be decoded, or has no frames. */
  | 'sample'
  /** A worker of a loader ended, or could not start. */
  | 'worker'
  /** A cursor of a loader is none, or belongs to another loader. */
  | 'cursor'
  /** A tar file is damaged, cut short, or of a kind that is not read. */
  | 'tar'
  /** The mask of an object is not as its format says. */
  | 'mask'
  /** An option has a value that cannot work. */
  | 'option'
  /** A sample was asked for that the data set does not have. */
  | 'index';

/** What a {@link DatasetError} says: which argument, what was expected, what came, and the way out. */
export interface DatasetProblem {
  readonly code: DatasetErrorCode;
  readonly argument: string;
  readonly expected: string;
  readonly actual: string;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** The one error that this package throws on purpose. */
export class DatasetError extends Error {
  override readonly name = 'DatasetError';
  readonly code: DatasetErrorCode;
  readonly argument: string;
  readonly expected: string;
  readonly actual: string;

  constructor({ code, argument, expected, actual, hint, cause }: DatasetProblem) {
    // What came may be a sentence already: the message of another error.
    const problem = `${argument}: expected ${expected}, got ${actual}`;
    super(`${problem}${problem.endsWith('.') ? '' : '.'}${hint ? ` ${hint}` : ''}`, { cause });
    this.code = code;
    this.argument = argument;
    this.expected = expected;
    this.actual = actual;
  }
}
