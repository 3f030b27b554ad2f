/** One check: `run` resolves to a short remark for its line, or throws with everything the reader needs. */
export interface Check {
  readonly name: string;
  /** Names of checks, earlier in the list, without whose success this one cannot run. */
  readonly needs?: readonly string[];
  run(): Promise<string>;
}

export interface Outcome {
  readonly name: string;
  readonly status: 'ok' | 'FAIL' | 'skip';
  readonly seconds: number;
  /** The remark of a passed check, the output of a failed one, the reason of a skipped one. */
  readonly text: string;
}

/**
 * Runs all checks, `slots` at a time, each as soon as what it needs has passed. A failure stops only the checks that need
 * it, so that one run tells everything there is to repair.
 */
export async function runChecks(
  checks: readonly Check[],
  slots: number,
  report: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const limit = limiter(slots);
  const outcomes = new Map<string, Promise<Outcome>>();
  for (const check of checks) {
    const needed = (check.needs ?? []).map((name) => {
      const outcome = outcomes.get(name);
      if (!outcome) throw new Error(`Check "${check.name}" needs "${name}", which is not earlier in the list.`);
      return outcome;
    });
    const outcome = Promise.all(needed).then((results) => {
      const missing = results.filter((result) => result.status !== 'ok').map((result) => result.name);
      if (missing.length === 0) return limit(() => runOne(check));
      return { name: check.name, status: 'skip' as const, seconds: 0, text: `needs ${missing.join(', ')}` };
    });
    outcome.then(report);
    outcomes.set(check.name, outcome);
  }
  return Promise.all(outcomes.values());
}

async function runOne(check: Check): Promise<Outcome> {
  const start = performance.now();
  const outcome = (status: Outcome['status'], text: string): Outcome => {
    return { name: check.name, status, seconds: (performance.now() - start) / 1000, text };
  };
  try {
    return outcome('ok', await check.run());
  } catch (error) {
    return outcome('FAIL', error instanceof CheckFailure ? error.message : String((error as Error)?.stack ?? error));
  }
}

/** A finding: its message is for the reader, and its stack of no interest. Anything else thrown is a bug in the check. */
export class CheckFailure extends Error {
  override readonly name = 'CheckFailure';
}

/** Throws if there are findings. */
export function refuse(findings: readonly string[]): void {
  if (findings.length > 0) throw new CheckFailure(findings.join('\n'));
}

function limiter(slots: number): <T>(task: () => Promise<T>) => Promise<T> {
  let free = slots;
  const waiting: (() => void)[] = [];
  return async (task) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  };
}
