import { type HtmlValue, html } from '@saccade/command-kit/html';
import { INK } from './colours.ts';
import type { ChartOption } from './echarts.ts';

/** What all charts have. Without animation and emphasis: a report is paper, and variables cannot be blended. */
export function commonOption(label: string): ChartOption {
  return {
    animation: false,
    backgroundColor: 'transparent',
    textStyle: { color: INK.text, fontFamily: 'sans-serif', fontSize: 12 },
    aria: { enabled: true, label: { description: label } },
    tooltip: {
      trigger: 'item',
      backgroundColor: INK.page,
      borderColor: INK.line,
      textStyle: { color: INK.text },
    },
  };
}

/** Pixels, guessed: there is no canvas to measure with in Node, and the width of a page may change. */
const [NARROW, CHARACTER, BESIDE] = [500, 6.8, 48];

/** A legend above the chart, and where the chart may begin below it. */
export function legendAbove(names: readonly string[], itemWidth = 24) {
  let [lines, used] = [1, 0];
  for (const { length } of names) {
    const wide = length * CHARACTER + BESIDE;
    if (used > 0 && used + wide > NARROW) [lines, used] = [lines + 1, 0];
    used += wide;
  }
  const legend = {
    data: [...names],
    left: 0,
    top: 0,
    itemGap: 14,
    itemWidth,
    itemHeight: 10,
    textStyle: { color: INK.text, fontSize: 12 },
    inactiveColor: INK.line,
  };
  return { legend, below: lines * 22 + 12 };
}

/** Lines of a tooltip. ECharts takes HTML, and names come from files. */
export function tooltip(...lines: readonly HtmlValue[]): string {
  return html`${lines.map((line, place) => html`${place > 0 && html`<br>`}${line}`)}`.text;
}
