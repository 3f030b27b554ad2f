import { formatPercent, type Html, html } from '@saccade/command-kit';
import type { DemoReport, ModelReport } from '../types.ts';
import { MODEL_STYLE, type Section } from './section.ts';

const CELL = 30;
const CHARACTER = 7;
/** Opacity at 100 %: low enough that the page's own text colour stays readable on it in both themes. */
const FULL = 0.6;

/** Which classes are taken for which, as a table of shaded cells per model. */
export function confusionSection({ task, models }: DemoReport): Section {
  const body = html`
<p>Each row is a true class and sums to 100 %; each column is an answer. The diagonal is right.</p>
<div class="pair">
${models.map((model, index) => matrix(model, MODEL_STYLE[index] as string, task.classes))}</div>
<details>
<summary>Right answers by class, as a table</summary>
<div class="scroll" tabindex="0" role="region" aria-label="Right answers by class">
<table>
<thead><tr><th scope="col">True class</th><th scope="col">Clips</th>${models.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>
${task.classes.map((name, label) => {
  const rows = models.map(({ confusion }) =>
    confusion.subarray(label * task.classes.length, (label + 1) * task.classes.length),
  );
  const clips = total(rows[0] as Uint32Array);
  return html`<tr><th scope="row">${name}</th><td>${clips}</td>${rows.map((row) => html`<td>${formatPercent((row[label] ?? 0) / total(row))}</td>`)}</tr>\n`;
})}</tbody>
</table>
</div>
</details>
`;
  return { id: 'confusion', title: 'What is taken for what', body };
}

function matrix({ name, confusion }: ModelReport, style: string, classes: readonly string[]): Html {
  const count = classes.length;
  const cell = count <= 6 ? 2 * CELL : CELL;
  const margin = 14 + CHARACTER * Math.max(...classes.map((text) => text.length));
  const side = count * cell;
  const cells = Array.from(confusion, (value, place) => {
    const [row, column] = [Math.floor(place / count), place % count];
    const part = value / Math.max(1, total(confusion.subarray(row * count, (row + 1) * count)));
    const [x, y] = [margin + column * cell, row * cell];
    const percent = Math.round(100 * part);
    return html`<g><title>${classes[row]} taken for ${classes[column]}: ${formatPercent(part)} (${value} clips)</title><rect x="${x}" y="${y}" width="${cell - 1}" height="${cell - 1}" class="cell"/><rect x="${x}" y="${y}" width="${cell - 1}" height="${cell - 1}" class="fill ${style}" fill-opacity="${(FULL * part).toFixed(3)}"/>${percent > 0 && html`<text x="${x + cell / 2 - 0.5}" y="${y + cell / 2 + 4}" class="count">${percent}</text>`}</g>`;
  });
  return html`<figure>
<figcaption><strong class="${style}">${name}</strong>, % of each row</figcaption>
<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix of ${name}">
<svg class="confusion" role="img" aria-label="Confusion matrix of ${name}; the table below holds its diagonal" viewBox="0 0 ${margin + side} ${side + margin}" style="min-width:${Math.round((margin + side) * 0.75)}px;max-width:${margin + side}px">
${cells}
${classes.map(
  (
    text,
    index,
  ) => html`<text x="${margin - 8}" y="${index * cell + cell / 2 + 4}" class="row-name">${text}</text><text transform="translate(${margin + index * cell + cell / 2 + 3} ${side + 8}) rotate(-90)" class="row-name">${text}</text>
`,
)}</svg>
</div>
</figure>
`;
}

function total(row: Uint32Array): number {
  return row.reduce((sum, value) => sum + value, 0);
}
