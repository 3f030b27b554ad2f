import { formatCompact, formatInteger } from '@saccade/command-kit';
import { csvFormat } from 'd3-dsv';
import type { Answer } from './comparisons.ts';
import type { MeanInterval } from './statistics.ts';
import type { Published, Study } from './studies.ts';
import type { SettingSummary } from './summary.ts';

/** `summary.csv`: one row a setting. Accuracies in percent, differences to the reference in points, 95 % intervals. */
export function summaryCsv(summaries: readonly SettingSummary[]): string {
  return rows(
    summaries.map(({ setting, params, macs, accuracies, accuracy, toReference, finalLoss }) => ({
      setting: setting.id,
      title: setting.title,
      params,
      macs,
      seeds: accuracies.length,
      ...columns('accuracy', accuracy),
      ...columns('toReference', toReference),
      finalLoss: finalLoss.toFixed(4),
      paperImagenet: setting.published?.imagenet,
      paperSomethingV1: setting.published?.something,
    })),
  );
}

/** `comparisons.csv`: one row a question. Paired differences in points, 95 % intervals, and the paper's differences. */
export function comparisonsCsv(answers: readonly Answer[]): string {
  return rows(
    answers.map(({ factor, from, to, seeds, difference, paper, verdict }) => ({
      factor,
      from,
      to,
      seeds,
      ...columns('difference', difference),
      paperImagenet: paper?.imagenet,
      paperSomethingV1: paper?.something,
      verdict,
    })),
  );
}

/** The settings as a table of Markdown. */
export function summaryTable({ settings, referenceTitle }: Study, summaries: readonly SettingSummary[]): string {
  const published = settings.some((setting) => setting.published);
  return markdown(
    [
      'setting',
      '`--configs`',
      'parameters',
      'MACs',
      'accuracy, %',
      `minus ${referenceTitle}, points`,
      ...(published ? ['paper: SSv1, IN-1K, %'] : []),
    ],
    summaries.map(({ setting, params, macs, accuracy, toReference }) => [
      setting.title,
      `\`${setting.id}\``,
      formatInteger(params),
      formatCompact(macs),
      interval(accuracy, percent),
      toReference ? interval(toReference, points) : '',
      ...(published ? [publishedCell(setting.published)] : []),
    ]),
  );
}

function publishedCell(published: Published | undefined): string {
  return published ? `${published.something.toFixed(1)}, ${published.imagenet.toFixed(1)}` : '';
}

/** The questions and their answers as a table of Markdown; what the paper says only where it says something. */
export function comparisonsTable(answers: readonly Answer[]): string {
  const published = answers.some(({ paper }) => paper);
  return markdown(
    ['what is added', 'from', 'to', ...(published ? [PAPER, 'here, points', 'direction'] : ['here, points'])],
    answers.map(({ factor, from, to, difference, paper, verdict }) => {
      const here = interval(difference, points);
      const beside = paper ? `${signed(paper.something)}, ${signed(paper.imagenet)}` : '';
      return [factor, `\`${from}\``, `\`${to}\``, ...(published ? [beside, here, verdict] : [here])];
    }),
  );
}

const PAPER = 'paper: SSv1, IN-1K, points';

function columns(name: string, value: MeanInterval | undefined): Record<string, string> {
  const cell = (share: number | undefined) =>
    share === undefined || Number.isNaN(share) ? '' : (100 * share).toFixed(3);
  return { [name]: cell(value?.mean), [`${name}Low`]: cell(value?.low), [`${name}High`]: cell(value?.high) };
}

/** d3-dsv writes nothing for `undefined`, and no line break at the end. */
function rows(values: readonly object[]): string {
  return `${csvFormat(values)}\n`;
}

function interval({ mean, low, high }: MeanInterval, format: (share: number) => string): string {
  return Number.isNaN(low) ? format(mean) : `${format(mean)} (${format(low)} to ${format(high)})`;
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

function points(share: number): string {
  return signed(100 * share);
}

/** With a sign, also a typographic minus, and without one where it rounds to zero. */
function signed(value: number): string {
  const digits = Math.abs(value).toFixed(1);
  if (Number(digits) === 0) return digits;
  return `${value < 0 ? '−' : '+'}${digits}`;
}

function markdown(heading: readonly string[], cells: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`;
  return [line(heading), line(heading.map(() => '---')), ...cells.map(line)].join('\n');
}
