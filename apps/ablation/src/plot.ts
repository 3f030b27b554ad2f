import { formatCompact, formatInteger, Html, html } from '@saccade/command-kit';
import { type ScaleLinear, scaleLinear } from 'd3-scale';
import { axisTicks, PLOT_STYLE, rounded } from './plotStyle.ts';
import type { MeanInterval } from './statistics.ts';
import type { Study } from './studies.ts';
import type { SettingSummary } from './summary.ts';

const WIDTH = 980;
const ROW = 27;
/** Heights above and below the rows: titles and key; ticks. */
const [TOP, BOTTOM] = [78, 32];
/** Where the panels lie across the picture. */
const LEFT = { from: 320, to: 610 } as const;
const RIGHT = { from: 660, to: 950 } as const;

/**
 * The study as a picture (SVG): on the left the accuracy of every run, its mean over seeds and the 95 % interval; on the
 * right the paired difference to the reference with its interval, beside the difference that the paper reports.
 */
export function plotStudy(study: Study, summaries: readonly SettingSummary[]): string {
  const height = TOP + ROW * summaries.length + BOTTOM;
  const accuracy = axis(
    LEFT,
    summaries.flatMap(({ accuracies, accuracy }) => [...accuracies.map((share) => 100 * share), ...extent(accuracy)]),
  );
  const difference = axis(RIGHT, [
    0,
    ...summaries.flatMap((one) => [...extent(one.toReference), ...publishedGap(study, one)]),
  ]);
  const bottom = height - BOTTOM;
  const y = (row: number) => TOP + ROW * (row + 0.5);
  const svg = html`<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${spoken(summaries)}">
<style>${new Html(PLOT_STYLE)}</style>
<rect width="${WIDTH}" height="${height}" class="page"/>
<text x="16" y="24" class="heading">setting</text><text x="${LEFT.from - 90}" y="24" class="heading right">parameters</text><text x="${LEFT.from - 22}" y="24" class="heading right">MACs</text>
<text x="${LEFT.from}" y="24" class="heading">held-out accuracy, %</text><text x="${RIGHT.from}" y="24" class="heading">minus ${study.referenceTitle} of the same seed, points</text>
${legend(study)}
${axisTicks(accuracy, { top: TOP, bottom })}${axisTicks(difference, { top: TOP, bottom })}
<line x1="${rounded(difference(0))}" x2="${rounded(difference(0))}" y1="${TOP}" y2="${bottom}" class="zero"/>
${summaries.map(
  (summary, row) => html`<g>
<text x="16" y="${y(row) + 4}">${summary.setting.title}</text><text x="${LEFT.from - 90}" y="${y(row) + 4}" class="muted right">${formatInteger(summary.params)}</text><text x="${LEFT.from - 22}" y="${y(row) + 4}" class="muted right">${formatCompact(summary.macs)}</text>
${summary.accuracies.map((value) => html`<circle cx="${rounded(accuracy(100 * value))}" cy="${y(row)}" r="3" class="seed"/>`)}
${mark(accuracy, summary.accuracy, y(row))}${summary.toReference && mark(difference, summary.toReference, y(row))}
${publishedGap(study, summary).map((gap) => diamond(difference(gap), y(row)))}</g>
`,
)}</svg>
`;
  return svg.text;
}

/** Mean and interval. */
function mark(x: Scale, { mean, low, high }: MeanInterval, y: number): Html {
  return html`${!Number.isNaN(low) && html`<line x1="${rounded(x(100 * low))}" x2="${rounded(x(100 * high))}" y1="${y}" y2="${y}" class="interval"/>`}<circle cx="${rounded(x(100 * mean))}" cy="${y}" r="4.5" class="mean"/>`;
}

function diamond(x: number, y: number): Html {
  return html`<path d="M${rounded(x)} ${y - 6}l6 6l-6 6l-6 -6z" class="paper"/>`;
}

function legend({ settings }: Study): Html {
  const y = 50;
  return html`<circle cx="${LEFT.from + 4}" cy="${y}" r="3" class="seed"/><text x="${LEFT.from + 14}" y="${y + 4}" class="muted">one seed</text>
<line x1="${LEFT.from + 84}" x2="${LEFT.from + 108}" y1="${y}" y2="${y}" class="interval"/><circle cx="${LEFT.from + 96}" cy="${y}" r="4.5" class="mean"/><text x="${LEFT.from + 116}" y="${y + 4}" class="muted">mean, 95 % interval</text>
${settings.some(({ published }) => published) && html`${diamond(RIGHT.from + 6, y)}<text x="${RIGHT.from + 18}" y="${y + 4}" class="muted">the paper's difference on SSv1 (DeiT-S, one run)</text>`}`;
}

type Scale = ScaleLinear<number, number>;

function axis({ from, to }: { readonly from: number; readonly to: number }, values: readonly number[]): Scale {
  // No interval follows from one seed.
  const points = values.filter(Number.isFinite);
  return scaleLinear([Math.min(...points), Math.max(...points)], [from, to]).nice(6);
}

/** What a mark takes on its axis, in points. */
function extent(interval: MeanInterval | undefined): number[] {
  return interval ? [interval.mean, interval.low, interval.high].map((share) => 100 * share) : [];
}

/** The paper's difference to the reference, in points: one value, or none where the paper has no such row. */
function publishedGap({ settings, reference: id }: Study, { setting }: SettingSummary): number[] {
  const reference = settings.find((one) => one.id === id)?.published;
  if (!reference || !setting.published || setting.id === id) return [];
  return [setting.published.something - reference.something];
}

function spoken(summaries: readonly SettingSummary[]): string {
  const parts = summaries.map(({ setting, accuracy }) => `${setting.title} ${(100 * accuracy.mean).toFixed(1)} %`);
  return `Mean held-out accuracy of each setting: ${parts.join(', ')}`;
}
