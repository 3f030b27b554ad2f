import { Command, InvalidArgumentError } from 'commander';
import { describe, expect, it } from 'vitest';
import { integerAtLeast } from './options.ts';

describe('integerAtLeast', () => {
  it('reads whole numbers from its least on', () => {
    const { steps } = new Command()
      .option('--steps <n>', '', integerAtLeast(1))
      .parse(['--steps', '12'], { from: 'user' })
      .opts<{ steps: number }>();
    expect(steps).toBe(12);
    expect(integerAtLeast(0)('0')).toBe(0);
  });

  it.each(['0', '-3', '1.5', 'ten', '', ' ', '1e99'])('refuses "%s"', (text) => {
    expect(() => integerAtLeast(1)(text)).toThrow(InvalidArgumentError);
    expect(() => integerAtLeast(1)(text)).toThrow('an integer >= 1 is needed');
  });
});
