import { Html } from '@saccade/command-kit/html';
import { setPlatformAPI } from 'echarts/core';
import { type Chart, init } from './echarts.ts';

// Without a page there is nothing to measure text with, and ECharts guesses too little for wide fonts: names would overlap.
if (typeof document === 'undefined') {
  setPlatformAPI({ measureText: (text, font) => ({ width: 0.61 * pixelsOf(font) * [...text].length }) as TextMetrics });
}

function pixelsOf(font = ''): number {
  return Number(/([\d.]+)px/.exec(font)?.[1] ?? 12);
}

/**
 * A chart as SVG text, drawn without a page.
 *
 * @param width pixels of its own scale; pages may show it larger or smaller
 */
export function chartSvg({ option, height }: Chart, width = 720): Html {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption(option);
    return new Html(withoutInteraction(chart.renderToSVGString({ useViewBox: true })));
  } finally {
    chart.dispose();
  }
}

/**
 * What is for the mouse alone is a third of the text, and clips have names that other charts of the page might use too; nothing
 * lies outside of its axes. Quotes in names are escaped, so that no name looks like what is taken out.
 */
function withoutInteraction(svg: string): string {
  return svg
    .replace(/<(style|defs)\s*>[\s\S]*?<\/\1>\s*/g, '')
    .replace(
      / (?:class|clip-path|pointer-events|xml:space|ecmeta_\w+|xmlns(?::xlink)?|version|baseProfile)="[^"]*"/g,
      '',
    )
    .replace(/<rect width="\d+" height="\d+" x="0" y="0" fill="none"><\/rect>\s*/, '')
    .replace(/><\/(?:path|rect)>/g, '/>')
    .replace(/<path d="[^"]*"(?: transform="[^"]*")? fill="(?:none|[^"]*" fill-opacity="0"[^>]*)"\/>\s*/g, '')
    .replace(/ fill="#000" stroke=/g, ' fill="none" stroke=')
    .replace(/ style="font-size:12px;font-family:sans-serif;"/g, '')
    .replace('<svg ', '<svg font-family="sans-serif" font-size="12" ');
}
