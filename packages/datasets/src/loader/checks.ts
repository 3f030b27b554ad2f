import { DatasetError } from '../errors.ts';

/** @throws DatasetError `option` unless `value` is an integer from `low` to `high` */
export function checkInteger(argument: string, value: number, low: number, high = Number.MAX_SAFE_INTEGER): void {
  if (Number.isInteger(value) && value >= low && value <= high) return;
  const range = high === Number.MAX_SAFE_INTEGER ? `>= ${low}` : `from ${low} to ${high}`;
  throw new DatasetError({ code: 'option', argument, expected: `an integer ${range}`, actual: String(value) });
}

/** @throws DatasetError `option` unless `value` is one of `choices` */
export function checkChoice(argument: string, value: unknown, choices: readonly unknown[]): void {
  if (choices.includes(value)) return;
  throw new DatasetError({
    code: 'option',
    argument,
    expected: `one of ${choices.join(', ')}`,
    actual: String(value),
  });
}
