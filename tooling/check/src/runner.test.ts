import { describe, expect, it } from 'vitest';
import { type Check, CheckFailure, runChecks } from './runner.ts';

const passes = (name: string, ...needs: string[]): Check => ({ name, needs, run: async () => `${name} passed` });
const fails = (name: string, error: Error): Check => ({
  name,
  run: async () => {
    throw error;
  },
});

const run = async (checks: Check[], slots = 2) => {
  const outcomes = await runChecks(checks, slots, () => {});
  return outcomes.map(({ status, text }) => [status, text.split('\n')[0]]);
};

describe('runChecks', () => {
  it('goes on after a failure and skips only what needed the failed check', async () => {
    const checks = [
      fails('build', new CheckFailure('tsc said no')),
      passes('pack', 'build'),
      passes('lint'),
      passes('ship', 'pack'),
    ];
    expect(await run(checks)).toEqual([
      ['FAIL', 'tsc said no'],
      ['skip', 'needs build'],
      ['ok', 'lint passed'],
      ['skip', 'needs pack'],
    ]);
  });

  it('shows the stack of an unexpected error', async () => {
    const [outcome] = await runChecks([fails('broken', new TypeError('oops'))], 1, () => {});
    expect(outcome?.text).toMatch(/TypeError: oops\n\s+at /);
  });

  it('never runs more checks at once than there are slots', async () => {
    let running = 0;
    let most = 0;
    const busy = (name: string): Check => ({
      name,
      run: async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running -= 1;
        return '';
      },
    });
    await runChecks(['a', 'b', 'c', 'd', 'e'].map(busy), 2, () => {});
    expect(most).toBe(2);
  });

  it('refuses a need that is not in the list', async () => {
    await expect(run([passes('a', 'b')])).rejects.toThrow('Check "a" needs "b"');
  });
});
