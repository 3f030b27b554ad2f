/** `pnpm check`: everything that is checked beside the tests. One line a check; exits 1 if any of them failed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { allChecks } from './checks.ts';
import { type Outcome, runChecks } from './runner.ts';

const { only } = new Command('check')
  .description('Run every check of the repository except its tests.')
  .option('--only <text>', 'only checks whose name contains this text, and what they need')
  .parse()
  .opts<{ only?: string }>();

const temporary = await mkdtemp(join(tmpdir(), 'saccade-check-'));
try {
  const checks = allChecks(temporary);
  const chosen = new Set<string>();
  // Backwards, because needs point backwards.
  for (const check of [...checks].reverse()) {
    if (only !== undefined && !check.name.includes(only) && !chosen.has(check.name)) continue;
    for (const name of [check.name, ...(check.needs ?? [])]) chosen.add(name);
  }
  if (chosen.size === 0)
    throw new Error(`No check is called "${only}". There are: ${checks.map((c) => c.name).join(', ')}.`);
  const width = Math.max(...checks.map((check) => check.name.length));
  const outcomes = await runChecks(
    checks.filter((check) => chosen.has(check.name)),
    2,
    (outcome) => console.log(describe(outcome, width)),
  );
  const count = (status: Outcome['status']) => outcomes.filter((outcome) => outcome.status === status).length;
  console.log(`\nchecks: ${count('ok')} ok, ${count('FAIL')} failed, ${count('skip')} not run`);
  if (count('ok') < outcomes.length) process.exitCode = 1;
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  await rm(temporary, { recursive: true, force: true });
}

/** One line; below it, indented, the further lines of a remark or the output of a failure. */
function describe({ name, status, seconds, text }: Outcome, width: number): string {
  const head = `${status.padEnd(4)}  ${name.padEnd(width)}  ${`${seconds.toFixed(1)} s`.padStart(7)}`;
  const lines = text === '' ? [] : text.split('\n');
  if (status !== 'FAIL' && lines.length === 1) return `${head}  ${lines[0]}`;
  // Some tools print the whole line of a minified file.
  return [head, ...lines.map((line) => `      ${line.slice(0, 400)}`)].join('\n');
}
