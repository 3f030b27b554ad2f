import { formatInteger, formatPercent, textTable } from '@saccade/command-kit';
import { type Change, isRegression, type RunComparison, type StatusChange } from './compare.ts';
import { backendText, ratioText, reasonText } from './texts.ts';

const QUANTITIES: Readonly<Record<Change['gate'], string>> = {
  timeRatio: 'time',
  cpuRatio: 'processor time',
  memoryRatio: 'memory',
};

/** A comparison as text for a terminal. */
export function compareReport(comparison: RunComparison, threshold: number): string {
  const { warnings, compared, regressions, improvements, broken, mended, vanished, added } = comparison;
  const verdict = isRegression(comparison) ? 'REGRESSIONS' : 'No regressions';
  return [
    ...(warnings.length > 0 ? [warnings.map((warning) => `WARNING: ${warning}`).join('\n')] : []),
    ...changesSection('Worse', regressions),
    ...statusSection('Newly wrong or failed', broken),
    ...changesSection('Better', improvements),
    ...statusSection('No longer wrong or failed', mended),
    ...statusSection('No longer measured', vanished),
    ...statusSection('Newly measured', added),
    `${verdict}. Rows compared by ratios within each run: ${formatInteger(compared)}. Ratios that changed by more than ` +
      `${formatPercent(threshold, 0)} with 95\u00a0% intervals apart: ${regressions.length} for the worse, ` +
      `${improvements.length} for the better. Rows newly wrong or failed: ${broken.length}.`,
  ].join('\n\n');
}

function changesSection(title: string, changes: readonly Change[]): string[] {
  if (changes.length === 0) return [];
  const sorted = [...changes].sort((a, b) => b.factor - a.factor);
  const cells = sorted.map(({ row, gate, before, after }) => [
    `${row.suite}/${row.comparison}`,
    backendText(row),
    row.contender,
    row.baseline ?? '',
    QUANTITIES[gate],
    ratioText(before),
    ratioText(after),
    `${after.value > before.value ? '+' : '−'}${formatPercent(Math.abs(after.value / before.value - 1), 0)}`,
  ]);
  const heading = ['comparison', 'backend', 'contender', 'relative to', 'what', 'before', 'after', 'change'];
  return [`${title}:\n${textTable(heading, cells, { align: [...Array(5).fill('left'), 'right', 'right', 'right'] })}`];
}

function statusSection(title: string, changes: readonly StatusChange[]): string[] {
  if (changes.length === 0) return [];
  const cells = changes.map(({ row, before, after }) => [
    `${row.suite}/${row.comparison}`,
    backendText(row),
    row.contender,
    before,
    after,
    // Of a row that is not there any more, the reason is the old one.
    after === 'not there' ? '' : reasonText(row.reason ?? ''),
  ]);
  const heading = ['comparison', 'backend', 'contender', 'before', 'after', 'why'];
  return [`${title}:\n${textTable(heading, cells, { align: Array(6).fill('left') })}`];
}
