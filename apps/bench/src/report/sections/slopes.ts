import { type Html, html } from '@saccade/command-kit/html';
import { grouped } from '../../core/grouped.ts';
import type { Run } from '../run.ts';
import { parametersText } from './numbers.ts';

const QUANTITIES = [
  ['wallMs', 'time'],
  ['cpuMs', 'processor time'],
  ['gpuMs', 'GPU time'],
  ['peakTensorBytes', 'memory of tensors'],
  ['peakDeviceBytes', 'memory of the device'],
] as const;

/** Fitted slopes, a column for each quantity. */
export function slopeTable({ slopes }: Pick<Run, 'slopes'>): Html | undefined {
  if (slopes.length === 0) return undefined;
  const shown = QUANTITIES.filter(([quantity]) => slopes.some((line) => line.quantity === quantity));
  const series = grouped(slopes, ({ suite, backend, contender, parameters }) =>
    JSON.stringify([suite, backend, contender, parameters]),
  );
  const title = 'Slopes of log(quantity) over log(N)';
  return html`<details${series.size <= 12 && html` open`}><summary>${title}: ${series.size} series</summary>
<div class="scroll" tabindex="0" role="region" aria-label="${title}"><table>
<thead><tr><th scope="col">contender</th><th scope="col">backend</th>${shown.map(([, name]) => html`<th scope="col">${name}</th>`)}<th scope="col">N</th></tr></thead>
<tbody>
${[...series.values()].map((lines) => {
  const [first] = lines;
  const slope = (quantity: string) => lines.find((line) => line.quantity === quantity)?.slope.toFixed(2);
  const tokens = lines.map((line) => line.tokens).sort((a, b) => b.length - a.length)[0];
  return html`<tr><th scope="row">${first?.contender} <small>${first && parametersText(first.parameters)}</small></th><td>${first?.backend}</td>${shown.map(([quantity]) => html`<td>${slope(quantity)}</td>`)}<td>${tokens?.join(', ')}</td></tr>\n`;
})}</tbody></table></div></details>
`;
}
