import { type Html, html } from '@saccade/command-kit/html';
import { grouped } from '../../core/grouped.ts';
import type { Row } from '../../core/row.ts';
import type { SlopeLine } from '../../core/run.ts';
import { ratioChart } from '../charts/ratioChart.ts';
import { ratioMap } from '../charts/ratioMap.ts';
import { scalingChart } from '../charts/scalingChart.ts';
import { pointsOf, type ScalingQuantity, seriesKey, withoutTokens } from '../charts/series.ts';
import type { Run } from '../run.ts';
import { figure } from './figure.ts';
import { parametersText } from './numbers.ts';
import { rowTable } from './rowTable.ts';

/** Dots in one chart. */
const MOST_DOTS = 60;

/** Every suite of a part of a run: charts, then the tables. */
export function suiteSections({ rows, slopes }: Pick<Run, 'rows' | 'slopes'>): Html[] {
  return [...grouped(rows, ({ suite }) => suite)].map(
    ([suite, own]) =>
      html`<h4>${suite}</h4>
${[...grouped(own, ({ backend }) => backend)].map(([backend, there]) => [charts(there, slopes), rowTable(`${suite} on ${backend}`, there)])}`,
  );
}

function charts(rows: readonly Row[], slopes: readonly SlopeLine[]): Html {
  if (!rows.some(({ parameters }) => parameters.tokens !== undefined)) return ratioCharts(rows);
  const maps = [...grouped(rows, ({ parameters }) => parameters.direction)].map(([, own]) =>
    figure(ratioMap(own) ?? ratioChart(own)),
  );
  return html`${maps}${scalingFigures(rows, slopes)}`;
}

/** One chart for the suite, or one for each kind of comparison if the dots were too many. */
function ratioCharts(rows: readonly Row[]): Html {
  const parts =
    rows.length <= MOST_DOTS ? [rows] : [...grouped(rows, ({ comparison }) => comparison.split('/')[0]).values()];
  return html`${parts.map((part) => figure(ratioChart(part)))}`;
}

/** Time and memory of each series, side by side. */
function scalingFigures(rows: readonly Row[], slopes: readonly SlopeLine[]): Html | undefined {
  const series = [...grouped(rows, seriesKey).values()]
    .map((own) => ({
      own,
      figures: quantitiesOf(own).map((quantity) => figure(scalingChart(own, slopes, quantity), 560)),
    }))
    .filter(({ figures }) => figures.some((one) => one !== undefined));
  if (series.length === 0) return undefined;
  return html`<details open><summary>Growth with N: ${series.length} series</summary>
${series.map(({ own, figures }) => html`<h5>${parametersText(withoutTokens(own[0]?.parameters ?? {}))}</h5>\n<div class="pair">${figures}</div>\n`)}</details>
`;
}

/** Time by the GPU's own clock where it has one; memory of the device where it is known. */
function quantitiesOf(rows: readonly Row[]): ScalingQuantity[] {
  const has = (quantity: ScalingQuantity) => rows.some((row) => pointsOf([row], quantity).length > 0);
  return [has('gpuMs') ? 'gpuMs' : 'wallMs', has('peakDeviceBytes') ? 'peakDeviceBytes' : 'peakTensorBytes'];
}
