import { formatPercent, type Html, html } from '@saccade/command-kit';
import { heldOut, share, wilsonInterval } from '../statistics.ts';
import type { DemoReport, ModelReport, Proportion } from '../types.ts';
import { MODEL_STYLE, type Section } from './section.ts';

interface Condition {
  readonly title: string;
  readonly meaning: string;
  readonly of: (model: ModelReport) => Proportion;
  /** A mark on the axis, 0 to 1, with its name. */
  readonly mark: readonly [place: number, name: string];
}

/** Accuracy as bars, under each condition. Built of HTML, so that its text keeps its size on a narrow screen. */
export function accuracySection({ task, models }: DemoReport): Section {
  const chance: Condition['mark'] = [1 / task.classes.length, 'guessing'];
  const conditions: Condition[] = [
    { title: 'As filmed', meaning: 'Held-out clips, frames in order.', of: heldOut, mark: chance },
    {
      title: 'Backwards, as shown',
      meaning:
        'The same clips in reverse, counted against the class that the reversed film shows. A model that reads motion stays high.',
      of: ({ backwards }) => backwards.asShown,
      mark: chance,
    },
    {
      title: 'Backwards, as filmed',
      meaning:
        'The same clips in reverse, counted against the class they had forwards. Right only where a class is its own reversal, or where a model ignores order.',
      of: ({ backwards }) => backwards.asFilmed,
      mark: chance,
    },
    {
      title: 'Shuffled',
      meaning: 'The same frames in random order. No model can pass the mark except by luck.',
      of: ({ shuffled }) => shuffled,
      mark: [task.orderBlindCeiling, 'best without order'],
    },
  ];

  const body = html`
<p>Nothing in a single frame tells the class, so what is measured here is motion. Reversal and shuffling are exact
controls: they change the order of the frames and not one pixel in them.</p>
<ul class="key">${models.map(({ name }, index) => html`<li><i class="swatch ${MODEL_STYLE[index]}"></i>${name}</li>`)}
<li><i class="whisker-key"></i>95 % interval</li><li><i class="mark-key"></i>guessing, or best without order</li></ul>
<div class="bars">
${conditions.map((condition) => bars(condition, models))}</div>
`;
  return { id: 'accuracy', title: 'Accuracy and its controls', body };
}

function bars({ title, meaning, of, mark }: Condition, models: readonly ModelReport[]): Html {
  return html`<figure class="bar-group">
<figcaption><strong>${title}</strong> ${meaning} <span class="mark-text">Mark: ${mark[1]}, ${formatPercent(mark[0])}.</span></figcaption>
<div class="bar-rows">
${models.map((model, index) => {
  const value = of(model);
  const [low, high] = wilsonInterval(value);
  const text = `${model.name}: ${formatPercent(share(value))}, 95 % interval ${formatPercent(low)} to ${formatPercent(high)}`;
  const places = `--value:${percent(share(value))};--low:${percent(low)};--high:${percent(high)};--mark:${percent(mark[0])}`;
  return html`<div class="bar-row"><div class="bar-track" role="img" aria-label="${text}" title="${text}" style="${places}"><i class="bar ${MODEL_STYLE[index]}"></i><i class="whisker"></i><i class="mark"></i></div><span class="bar-value" aria-hidden="true">${formatPercent(share(value))}</span></div>\n`;
})}</div>
</figure>
`;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(2)}%`;
}
