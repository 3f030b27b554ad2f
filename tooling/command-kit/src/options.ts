import { InvalidArgumentError } from 'commander';

/** Parser of a command line option that is a number of things: `.option('--steps <n>', '...', integerAtLeast(1))`. */
export function integerAtLeast(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`an integer >= ${least} is needed.`);
    }
    return value;
  };
}
