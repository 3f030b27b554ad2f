import { type Html, html } from '@saccade/command-kit/html';
import type { Chart } from '../charts/echarts.ts';
import { chartSvg } from '../charts/svg.ts';

/** A chart with its caption, and with words for those who do not see it. */
export function figure(chart: Chart | undefined, width?: number): Html | undefined {
  return (
    chart &&
    html`<figure><figcaption>${chart.title}</figcaption><div class="scroll" role="img" aria-label="${chart.label}">${chartSvg(chart, width)}</div></figure>\n`
  );
}
