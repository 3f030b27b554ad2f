import { type Html, html } from '@saccade/command-kit';
import type { ScaleLinear } from 'd3-scale';

/** Colours stand in each rule, not in variables, which many viewers of SVG do not know. */
export const PLOT_STYLE = `
text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.heading { font-weight: 600; font-size: 13px; }
.right { text-anchor: end; }
.centre { text-anchor: middle; }
.interval { stroke-width: 2.5; stroke-linecap: round; }
.seed, .paper { fill: none; stroke-width: 1.5; }
.series { fill: none; stroke-width: 2; }
${colours({ page: '#ffffff', text: '#1c1e21', muted: '#5b6168', line: '#dfe1e4', mean: '#00695c', paper: '#a3301c' })}
@media (prefers-color-scheme: dark) {
${colours({ page: '#1c1e22', text: '#e6e7e9', muted: '#a2a8b0', line: '#33363c', mean: '#5fd0bf', paper: '#f09a86' })}
}
`;

function colours(of: Readonly<Record<'page' | 'text' | 'muted' | 'line' | 'mean' | 'paper', string>>): string {
  return `.page { fill: ${of.page}; }
text { fill: ${of.text}; }
.muted { fill: ${of.muted}; }
.grid { stroke: ${of.line}; }
.zero { stroke: ${of.muted}; }
.interval, .seed, .series { stroke: ${of.mean}; }
.mean { fill: ${of.mean}; }
.paper { stroke: ${of.paper}; }`;
}

/** Lines of the grid across a plot, with what they stand for below. */
export function axisTicks(
  x: ScaleLinear<number, number>,
  { top, bottom, count = 6 }: { readonly top: number; readonly bottom: number; readonly count?: number },
): Html {
  return html`${x.ticks(count).map((value) => html`<line x1="${rounded(x(value))}" x2="${rounded(x(value))}" y1="${top}" y2="${bottom}" class="grid"/><text x="${rounded(x(value))}" y="${bottom + 18}" class="muted centre">${value}</text>`)}`;
}

/** To hundredths of a pixel. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
