import { formatCompact, formatNumber, textTable } from '@saccade/command-kit';
import { grouped } from '../core/grouped.ts';
import type { Row } from '../core/row.ts';
import type { RunLine, SlopeLine } from '../core/run.ts';
import { backendText, ratioText, reasonText } from './texts.ts';

/** What a run has shown, for a terminal: ratios, never bare times, and how things grow. */
export function runSummary(lines: readonly RunLine[]): string {
  const rows = lines.filter((line): line is Row => line.kind === 'row');
  const slopes = lines.filter((line): line is SlopeLine => line.kind === 'slope');
  return [
    ...[...grouped(rows, (row) => `${row.suite} on ${backendText(row)}`)].map(([title, group]) =>
      suiteTable(title, group),
    ),
    ...[...grouped(slopes, (slope) => `${slope.suite} on ${backendText(slope)}`)].map(([title, group]) =>
      slopeTable(title, group),
    ),
    counts(rows),
  ].join('\n\n');
}

function suiteTable(title: string, rows: readonly Row[]): string {
  const cells = [...grouped(rows, ({ comparison }) => comparison)].flatMap(([comparison, group]) =>
    [...group]
      .sort((a, b) => ORDER.indexOf(a.status) - ORDER.indexOf(b.status))
      .map((row, i) => [i === 0 ? comparison : '', ...rowCells(row)]),
  );
  const heading = ['comparison', 'contender', 'time', 'processor time', 'memory', 'of the roofline', 'status'];
  const align = ['left', 'left', 'right', 'right', 'right', 'right', 'left'] as const;
  const note = rows[0]?.softwareGpu ? '\nThis "GPU" is the processor: these ratios say nothing about a GPU.' : '';
  return `${title}${note}\n${textTable(heading, cells, { align })}`;
}

/** Numbers first; who is not there is named last. */
const ORDER: readonly Row['status'][] = ['measured', 'wrong', 'failed', 'skipped', 'absent'];

function rowCells({ contender, baseline, timeRatio, cpuRatio, memoryRatio, roofline, ...row }: Row): string[] {
  const isBaseline = contender === baseline;
  return [
    contender,
    timeRatio === undefined ? '' : isBaseline ? '1' : ratioText(timeRatio),
    cpuRatio === undefined ? '' : isBaseline ? '1' : ratioText(cpuRatio),
    memoryRatio === undefined ? '' : formatNumber(memoryRatio),
    roofline === undefined ? '' : `${formatNumber(roofline.percent)}\u00a0%`,
    isBaseline ? 'measured; the others refer to it' : statusText(row),
  ];
}

/** Also what is measured instead of a time. */
function statusText({ status, reason, wallMs, quantities }: Pick<Row, 'status' | 'reason' | 'wallMs' | 'quantities'>) {
  if (reason !== undefined) return `${status}: ${reasonText(reason)}`;
  if (wallMs !== undefined || quantities === undefined) return status;
  return Object.entries(quantities)
    .map(([name, value]) => `${name} ${formatCompact(value)}`)
    .join(', ');
}

function slopeTable(title: string, slopes: readonly SlopeLine[]): string {
  const cells = slopes.map(({ contender, parameters, quantity, slope, tokens }) => [
    contender,
    Object.entries(parameters)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
    QUANTITIES[quantity],
    `N^${slope.toFixed(2)}`,
    `${Math.min(...tokens)} to ${Math.max(...tokens)}`,
  ]);
  const heading = ['contender', 'with', 'what', 'grows as', 'N'];
  return `How ${title} grows\n${textTable(heading, cells, { align: ['left', 'left', 'left', 'right', 'right'] })}`;
}

const QUANTITIES: Readonly<Record<SlopeLine['quantity'], string>> = {
  wallMs: 'time',
  cpuMs: 'processor time',
  gpuMs: 'GPU time',
  peakTensorBytes: 'tensors',
  peakDeviceBytes: 'device memory',
};

function counts(rows: readonly Row[]): string {
  return [...grouped(rows, ({ status }) => status)].map(([status, group]) => `${group.length} ${status}`).join(', ');
}
