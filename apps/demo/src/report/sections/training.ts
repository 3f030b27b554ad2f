import { formatDuration, formatInteger, formatPercent, type Html, html } from '@saccade/command-kit';
import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { heldOut, meanAndDeviation, share } from '../statistics.ts';
import type { DemoReport, ModelReport, SeedResult, Series } from '../types.ts';
import { MODEL_STYLE, type Section } from './section.ts';

/** How the models were trained: curves, and the result of every seed. */
export function trainingSection({ models }: DemoReport): Section | null {
  const trained = models.some(({ training }) => training);
  const seeded = models.some(({ seeds }) => seeds?.length);
  if (!trained && !seeded) return null;
  const body = html`
${trained && curves(models)}${seeded && seedTable(models)}`;
  return { id: 'training', title: 'Training', body };
}

function curves(models: readonly ModelReport[]): Html {
  const of = (field: 'loss' | 'accuracy') => models.map(({ training }) => training?.[field]);
  return html`<ul class="key">${models.map(
    ({ name, training }, index) =>
      training &&
      html`<li><i class="swatch ${MODEL_STYLE[index]}"></i>${name}: ${formatInteger(training.steps)} steps in ${formatDuration(training.seconds)}</li>`,
  )}</ul>
<div class="pair">
${chart('Loss', of('loss'), (value) => String(value))}${of('accuracy').some(Boolean) && chart('Accuracy while training', of('accuracy'), (value) => formatPercent(value, 0), [0, 1])}</div>
`;
}

const WIDTH = 460;
const HEIGHT = 270;
const MARGIN = { top: 12, right: 26, bottom: 42, left: 54 };

function chart(
  title: string,
  series: readonly (Series | undefined)[],
  tick: (value: number) => string,
  range?: readonly [number, number],
): Html {
  const points = series.map((one) =>
    one ? Array.from(one.step, (step, i) => [step, one.value[i] as number] as const) : [],
  );
  const finite = points.flat().filter(([, value]) => Number.isFinite(value));
  const x = scaleLinear([0, Math.max(1, ...finite.map(([step]) => step))], [MARGIN.left, WIDTH - MARGIN.right]);
  const top = Math.max(0, ...finite.map(([, value]) => value)) || 1;
  const y = scaleLinear(range ?? [0, top], [HEIGHT - MARGIN.bottom, MARGIN.top]);
  if (!range) y.nice(5);
  const draw = line<readonly [number, number]>()
    .defined(([, value]) => Number.isFinite(value))
    .x(([step]) => round(x(step)))
    .y(([, value]) => round(y(value)));
  const last = points.map((one) => one.at(-1)?.[1]);
  const spoken = `${title} over optimiser steps, last values: ${last.map((value) => (value === undefined ? 'none' : tick(round(value)))).join(' and ')}`;

  return html`<figure>
<figcaption><strong>${title}</strong></figcaption>
<svg class="chart" role="img" aria-label="${spoken}" viewBox="0 0 ${WIDTH} ${HEIGHT}">
${y.ticks(5).map((value) => html`<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${round(y(value))}" y2="${round(y(value))}" class="grid"/><text x="${MARGIN.left - 8}" y="${round(y(value)) + 4}" class="tick-y">${tick(value)}</text>`)}
${x.ticks(5).map((value) => html`<text x="${round(x(value))}" y="${HEIGHT - MARGIN.bottom + 20}" class="tick-x">${formatInteger(value)}</text>`)}
<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 4}" class="tick-x">optimiser step</text>
${points
  .map((one, index) => one.length > 0 && html`<path d="${draw(one)}" class="curve ${MODEL_STYLE[index]}"/>`)
  .reverse()}</svg>
</figure>
`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function seedTable(models: readonly ModelReport[]): Html {
  const seeds = [...new Set(models.flatMap(({ seeds }) => seeds?.map(({ seed }) => seed) ?? []))];
  const find = ({ seeds }: ModelReport, seed: number): SeedResult | undefined =>
    seeds?.find((one) => one.seed === seed);
  const summary = models.map(({ seeds }) => meanAndDeviation(seeds?.map(share) ?? []));
  return html`<h3>Every training seed</h3>
<p>Held-out accuracy of each run. The models of this page reach ${models.map(({ name }, index) => `${index ? ' and ' : ''}${formatPercent(share(heldOut(models[index] as ModelReport)))} (${name})`)} on the clips of this page.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Accuracy of every training seed">
<table>
<thead><tr><th scope="col">Seed</th>${models.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>
${seeds.map(
  (seed) =>
    html`<tr><th scope="row">${seed}</th>${models.map((model) => {
      const result = find(model, seed);
      return html`<td>${formatPercent(result ? share(result) : Number.NaN)}</td>`;
    })}</tr>\n`,
)}</tbody>
<tfoot><tr><th scope="row">Mean ± sd</th>${summary.map(({ mean, deviation }) => html`<td>${(100 * mean).toFixed(1)} ± ${formatPercent(deviation)}</td>`)}</tr></tfoot>
</table>
</div>
`;
}
