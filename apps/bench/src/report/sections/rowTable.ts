import { formatBytes, formatCompact, formatNumber } from '@saccade/command-kit/format';
import { type Html, type HtmlValue, html } from '@saccade/command-kit/html';
import type { Row } from '../../core/row.ts';
import { baselineOf, comparisonsOf } from '../losses.ts';
import { counted, isTime, parametersText, quantityText, ratioCell, times, words } from './numbers.ts';

interface Column {
  readonly title: string;
  /** of a row and the baseline of its comparison; nothing where the row does not have it */
  cell(row: Row, baseline: Row | undefined): HtmlValue;
}

/** Columns that no row of a table fills are left out of it. */
const COLUMNS: readonly Column[] = [
  { title: 'time', cell: (row) => timeCell(row) },
  {
    title: 'processor time',
    cell: ({ cpuRatio, contender, baseline }) => cpuRatio && contender !== baseline && ratioCell(cpuRatio),
  },
  {
    title: 'GPU time',
    cell: (row, baseline) => row !== baseline && quotient(row.gpuMs?.median, baseline?.gpuMs?.median),
  },
  { title: 'memory', cell: (row) => memoryCell(row) },
  {
    title: 'of the roof',
    cell: ({ roofline }) =>
      roofline && html`${formatNumber(Number(roofline.percent.toPrecision(2)))} % <i>(${roofline.limit})</i>`,
  },
  { title: 'compile', cell: ({ compileMs, wallMs }) => quotient(compileMs, wallMs?.median, '\u00a0runs') },
  { title: 'upload', cell: ({ uploadMs, wallMs }) => quotient(uploadMs, wallMs?.median, '\u00a0runs') },
  { title: 'work', cell: ({ cost }) => cost && workText(cost) },
  { title: 'measured', cell: ({ quantities }) => quantities && quantitiesText(quantities) },
  {
    title: 'deviation',
    cell: ({ check }) => check && `${exponent(check.error)} of ${exponent(check.tolerance)}: ${check.against}`,
  },
];

/** Tables longer than this are folded. */
const LONG = 40;

/** Characters of a reason that are shown at first, and at most. */
const [FOLD, LONGEST] = [90, 2_000];

/** Rows as a table, one comparison below the other. Rows without a time say why, in place of numbers. */
export function rowTable(title: string, rows: readonly Row[]): Html {
  const comparisons = comparisonsOf(rows);
  const columns = COLUMNS.filter(({ cell }) =>
    comparisons.some((own) => own.some((row) => row.status === 'measured' && isThere(cell(row, baselineOf(own))))),
  );
  const heading = ['contender', ...columns.map((column) => column.title)];
  const table = html`<div class="scroll" tabindex="0" role="region" aria-label="${title}"><table>
<thead><tr>${heading.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
${comparisons.map((own) => comparisonBody(own, columns))}</table></div>
`;
  return html`<details${rows.length <= LONG && html` open`}><summary>${title}: ${counted(comparisons.length, 'comparison')}, ${counted(rows.length, 'row')}</summary>
${table}</details>
`;
}

function comparisonBody(own: readonly Row[], columns: readonly Column[]): Html {
  const baseline = baselineOf(own);
  const { comparison, parameters } = own[0] as Row;
  // Who is absent, and why, is read last.
  const ordered = [...own].sort((a, b) => Number(b.status === 'measured') - Number(a.status === 'measured'));
  return html`<tbody>
<tr class="group"><th colspan="${columns.length + 1}" scope="rowgroup">${comparison} <small>${parametersText(parameters)}</small></th></tr>
${ordered.map((row) => rowLine(row, baseline, columns))}</tbody>
`;
}

function rowLine(row: Row, baseline: Row | undefined, columns: readonly Column[]): Html {
  const name = html`<th scope="row">${contenderText(row)}</th>`;
  if (row.status !== 'measured') {
    return html`<tr class="${row.status}">${name}<td class="why" colspan="${Math.max(columns.length, 1)}">${statusText(row)}</td></tr>\n`;
  }
  return html`<tr${row === baseline && html` class="baseline"`}>${name}${columns.map(({ cell }) => html`<td>${cell(row, baseline)}</td>`)}</tr>\n`;
}

/** The status, and the reason, folded where it is long. */
export function statusText({ status, reason = '' }: Row): HtmlValue {
  const label = html`<b>${status}</b>`;
  if (reason === '') return label;
  if (reason.length <= FOLD) return html`${label}: ${reason}`;
  const whole = reason.length > LONGEST ? `${reason.slice(0, LONGEST)} …` : reason;
  return html`<details><summary>${label}: ${reason.slice(0, FOLD)} …</summary>${whole}</details>`;
}

function timeCell({ timeRatio, contender, baseline, wallMs }: Row): HtmlValue {
  if (timeRatio === undefined) return wallMs !== undefined && 'no baseline';
  return contender === baseline ? '1 (baseline)' : ratioCell(timeRatio);
}

/** Bytes are no time: they may stand alone. */
function memoryCell({ memoryRatio, peakDeviceBytes, peakTensorBytes }: Row): HtmlValue {
  const bytes = peakDeviceBytes ?? peakTensorBytes;
  if (bytes === undefined || bytes === 0) return false;
  return memoryRatio === undefined ? formatBytes(bytes) : html`${times(memoryRatio)} <i>(${formatBytes(bytes)})</i>`;
}

function quotient(amount: number | undefined, unit: number | undefined, of = ''): HtmlValue {
  return (
    amount !== undefined &&
    unit !== undefined &&
    unit > 0 &&
    `${formatNumber(Number((amount / unit).toPrecision(2)))}${of || '×'}`
  );
}

function workText({ params, macs }: NonNullable<Row['cost']>): string {
  return [
    macs !== undefined && `${formatCompact(macs)} MACs`,
    params !== undefined && params > 0 && `${formatCompact(params)} parameters`,
  ]
    .filter((part) => part !== false)
    .join(', ');
}

function quantitiesText(quantities: Readonly<Record<string, number>>): string {
  return Object.entries(quantities)
    .filter(([name]) => !isTime(name))
    .map(([name, value]) => `${words(name)} ${quantityText(name, value)}`)
    .join(', ');
}

function exponent(value: number): string {
  return value === 0 ? '0' : value.toExponential(1);
}

function isThere(value: HtmlValue): boolean {
  return value !== undefined && value !== false && value !== '';
}

/** The name, and what computes if it is not said by the name. */
export function contenderText({ contender, engine }: Row): HtmlValue {
  return html`${contender}${engine !== undefined && engine !== contender && html` <small>${engine}</small>`}`;
}
