/** Base of every error that Saccade throws on purpose; `instanceof SaccadeError` tells our errors from bugs. */
export class SaccadeError extends Error {
  override readonly name: string = 'SaccadeError';
}

/** What a {@link ShapeError} says: which argument, what was expected, what came, and what to do about it. */
export interface ShapeMismatch {
  readonly argument: string;
  readonly expected: string;
  readonly actual: string;
  readonly hint?: string;
}

/** A tensor (or a grid, or a list of sizes) does not have the shape that the call needs. */
export class ShapeError extends SaccadeError {
  override readonly name = 'ShapeError';
  readonly argument: string;
  readonly expected: string;
  readonly actual: string;

  constructor({ argument, expected, actual, hint }: ShapeMismatch) {
    super(`${argument}: expected ${expected}, got ${actual}.${hint ? ` ${hint}` : ''}`);
    this.argument = argument;
    this.expected = expected;
    this.actual = actual;
  }
}

/** An option has a value that no setting of the others could make right. */
export class ConfigError extends SaccadeError {
  override readonly name = 'ConfigError';
  readonly option: string;

  constructor(option: string, expected: string, actual: unknown, hint?: string) {
    super(`${option}: expected ${expected}, got ${describe(actual)}.${hint ? ` ${hint}` : ''}`);
    this.option = option;
  }
}

function describe(value: unknown): string {
  return typeof value === 'string' || (typeof value === 'object' && value !== null)
    ? JSON.stringify(value)
    : String(value);
}
