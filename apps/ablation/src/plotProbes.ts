import { Html, html } from '@saccade/command-kit';
import { scaleLinear } from 'd3-scale';
import { axisTicks, PLOT_STYLE, rounded } from './plotStyle.ts';
import { meansOfProbes, type ProbeSeries } from './probeMeans.ts';
import type { ProbedValue } from './probes.ts';
import type { Study } from './studies.ts';

const WIDTH = 980;
const HEIGHT = 260;
const TOP = 62;
const BOTTOM = 40;
const GAP = 60;

/** Dashes tell the settings of a panel apart, also where colours cannot. */
const DASHES = ['', '7 4', '2 3', '9 3 2 3'];

/** What was looked at during training as a picture (SVG): one panel a name, one line a setting, the mean over seeds. */
export function plotProbes(study: Study, probes: readonly ProbedValue[]): string {
  const series = meansOfProbes(study, probes);
  const names = [...new Set(series.map(({ name }) => name))];
  const settings = [...new Set(series.map(({ setting }) => setting))];
  const width = (WIDTH - GAP * (names.length + 1)) / names.length;
  const panels = names.map((name, i) =>
    panel(
      series.filter((one) => one.name === name),
      settings,
      GAP + i * (width + GAP),
      width,
    ),
  );
  const svg = html`<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${names.join(', ')} over the steps of training">
<style>${new Html(PLOT_STYLE)}</style>
<rect width="${WIDTH}" height="${HEIGHT}" class="page"/>
${legend(study, settings)}${panels}</svg>
`;
  return svg.text;
}

function panel(series: readonly ProbeSeries[], settings: readonly string[], left: number, width: number): Html {
  const values = series.flatMap(({ means }) => means.map(({ value }) => value));
  const steps = series.flatMap(({ means }) => means.map(({ step }) => step));
  const x = scaleLinear([0, Math.max(...steps)], [left, left + width]);
  const y = scaleLinear([0, Math.max(1, ...values)], [HEIGHT - BOTTOM, TOP]).nice(4);
  const lines = series.map(({ setting, means }) => {
    const points = means.map(({ step, value }) => `${rounded(x(step))},${rounded(y(value))}`).join(' ');
    return html`<polyline points="${points}" class="series" stroke-dasharray="${DASHES[settings.indexOf(setting)] ?? ''}"/>`;
  });
  return html`<g><text x="${left}" y="${TOP - 12}" class="muted">${series[0]?.name}</text>
${y.ticks(4).map((value) => html`<line x1="${left}" x2="${left + width}" y1="${rounded(y(value))}" y2="${rounded(y(value))}" class="grid"/><text x="${left - 8}" y="${rounded(y(value)) + 4}" class="muted right">${value}</text>`)}
${axisTicks(x, { top: HEIGHT - BOTTOM, bottom: HEIGHT - BOTTOM, count: 3 })}${lines}</g>
`;
}

function legend({ settings }: Study, shown: readonly string[]): Html {
  return html`${shown.map((id, i) => {
    const x = GAP + i * 240;
    const title = settings.find((one) => one.id === id)?.title;
    return html`<line x1="${x}" x2="${x + 34}" y1="24" y2="24" class="series" stroke-dasharray="${DASHES[i] ?? ''}"/><text x="${x + 42}" y="28">${title}</text>`;
  })}`;
}
