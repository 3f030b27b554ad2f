import type { KernelMode } from '@saccade/tensor-ops';
import type { BackendInfo } from '@saccade/tensor-ops/node';
import { type Check, passes } from './Checks.ts';
import type { FileResult } from './replay.ts';
import type { Group } from './tolerances.ts';

/** The first line: where it was computed, and by whose kernels. */
export function headLine({ name, adapter }: Pick<BackendInfo, 'name' | 'adapter'>, kernels: KernelMode): string {
  const where = adapter ? `${name} (${adapter.description || adapter.vendor})` : name;
  return `${where}, kernels: ${kernels}; errors as "largest of limit"`;
}

/**
 * One line: name, what was compared, largest error, its limit, outcome. Of each group of tensors the one nearest to its
 * limit (or farthest beyond it) is told.
 */
export function fileLine({ name, outcome, checks, notes }: FileResult, width = 0): string {
  const groups = [...new Set(checks.map(({ group }) => group))];
  const told = groups.map((group) =>
    groupText(
      group,
      checks.filter((check) => check.group === group),
    ),
  );
  return `${outcome.padEnd(4)}  ${name.padEnd(width)}  ${[...told, ...notes].join('; ')}`;
}

/** The last line. */
export function totalsLine(results: readonly FileResult[]): string {
  const count = (outcome: FileResult['outcome']) => results.filter((result) => result.outcome === outcome).length;
  const checks = results.reduce((sum, result) => sum + result.checks.length, 0);
  return `${results.length} files, ${checks} tensors compared: ${count('ok')} ok, ${count('FAIL')} failed`;
}

function groupText(group: Group, checks: readonly Check[]): string {
  const worst = checks.reduce((a, b) => (closeness(b) > closeness(a) ? b : a));
  const what = `${checks.length} ${group}`;
  const where = passes(worst) ? '' : ` (${worst.name})`;
  if (group === 'exact') return `${what}: ${worst.error} differing${where}`;
  return `${what}: ${worst.error.toExponential(1)} of ${worst.tolerance.toExponential(1)}${where}`;
}

/** The error in units of its limit. */
function closeness({ error, tolerance }: Check): number {
  if (tolerance === 0) return error === 0 ? 0 : Number.POSITIVE_INFINITY;
  return error / tolerance;
}
