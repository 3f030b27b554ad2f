import {
  formatBytes,
  formatCompact,
  formatInteger,
  formatNumber,
  formatPercent,
  type Html,
  html,
} from '@saccade/command-kit';
import { heldOut, share, wilsonInterval } from '../statistics.ts';
import type { DemoReport, ModelReport, Proportion } from '../types.ts';
import { MODEL_STYLE, type Section } from './section.ts';

/** The two models side by side: what they reach, and what it costs. */
export function headlineSection({ task, models }: DemoReport): Section {
  const [focus, twin] = models;
  const clips = heldOut(focus).total;
  const rows: [name: string, note: string, cell: (model: ModelReport) => Html | string][] = [
    ['Accuracy', `${formatInteger(clips)} held-out clips`, (model) => proportion(heldOut(model))],
    ['Played backwards', 'right about what the reversed film shows', ({ backwards }) => proportion(backwards.asShown)],
    ['Played backwards', 'still says what was filmed', ({ backwards }) => proportion(backwards.asFilmed)],
    ['Frames shuffled', 'right about the clip in its order', ({ shuffled }) => proportion(shuffled)],
    ['Parameters', 'trained weights', ({ parameters }) => formatInteger(parameters)],
    ['Multiply-accumulates', 'for one clip', ({ macs }) => formatCompact(macs)],
    ['Throughput', 'clips per second', ({ clipsPerSecond }) => formatNumber(clipsPerSecond)],
    ['Peak memory', 'tensors of a batch of 32', ({ peakMemoryBytes }) => formatBytes(peakMemoryBytes)],
  ];

  const body = html`
<p class="verdict"><strong class="${MODEL_STYLE[0]}">${focus.name}</strong> names the motion in <strong>${formatPercent(share(heldOut(focus)))}</strong> of
${formatInteger(clips)} held-out clips; <strong class="${MODEL_STYLE[1]}">${twin.name}</strong> in <strong>${formatPercent(share(heldOut(twin)))}</strong>.
Guessing gives ${formatPercent(1 / task.classes.length)}. ${overlap(models)}</p>
<div class="scroll" tabindex="0" role="region" aria-label="Results of both models">
<table class="headline">
<thead><tr><td></td>${models.map(
    (model, index) =>
      html`<th scope="col"><span class="${MODEL_STYLE[index]}">${model.name}</span><small>${model.summary}</small></th>`,
  )}</tr></thead>
<tbody>
${rows.map(
  ([name, note, cell]) =>
    html`<tr><th scope="row">${name}<small>${note}</small></th>${models.map((model) => html`<td>${cell(model)}</td>`)}</tr>\n`,
)}</tbody>
</table>
</div>
<p class="note">In small print: 95 % intervals (Wilson), for the choice of test clips. They do not cover the choice of the training seed.</p>
`;
  return { id: 'results', title: 'Results', body };
}

function proportion(value: Proportion): Html {
  const [low, high] = wilsonInterval(value);
  return html`${formatPercent(share(value))}<small>${(100 * low).toFixed(1)}–${formatPercent(high)}</small>`;
}

function overlap(models: readonly [ModelReport, ModelReport]): string {
  const [[lowA, highA], [lowB, highB]] = models.map((model) => wilsonInterval(heldOut(model))) as [
    [number, number],
    [number, number],
  ];
  return lowA > highB || lowB > highA
    ? 'The 95 % intervals of the two do not overlap.'
    : 'The 95 % intervals of the two overlap: on these clips alone they cannot be told apart.';
}
