import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Row } from '../../core/row.ts';
import type { SlopeLine } from '../../core/run.ts';
import { readPage } from '../testing/elements.ts';
import { madeUpDevice, madeUpRefusal, madeUpRow, madeUpRun } from '../testing/lines.ts';
import { formatTimes, logTicks } from './axes.ts';
import { CHART_COLOURS, CHART_CSS, seriesStyle } from './colours.ts';
import type { Chart } from './echarts.ts';
import { ratioChart } from './ratioChart.ts';
import { ratioMap } from './ratioMap.ts';
import { rooflineChart } from './rooflineChart.ts';
import { scalingChart } from './scalingChart.ts';
import { chartSvg } from './svg.ts';

const run = madeUpRun();
const rows = run.flatMap((line): Row[] => (line.kind === 'row' && line.backend === 'wasm' ? [line] : []));
const slopes = run.flatMap((line): SlopeLine[] => (line.kind === 'slope' ? [line] : []));
const operators = rows.filter(({ suite }) => suite === 'operators');
const series = operators.filter(({ parameters }) => parameters.headDim === 64 && parameters.direction === 'forward');
const explicit = madeUpRow({ around: 4 }, 'itself');
const half = madeUpRow({ contender: 'half', around: 2 }, explicit.samplesMs);

interface DrawnSeries {
  readonly type: string;
  readonly name?: string;
  readonly data: readonly (readonly number[])[];
  readonly tooltip?: { formatter(parameters: { dataIndex: number; value: unknown }): string };
}
const seriesOf = (chart: Chart | undefined) => chart?.option.series as unknown as DrawnSeries[];

describe('charts', () => {
  it.each([
    ['ratioChart', ratioChart(rows.filter(({ suite }) => suite === 'backbones'))],
    ['scalingChart of time', scalingChart(series, slopes, 'wallMs')],
    ['scalingChart of memory', scalingChart(series, slopes, 'peakTensorBytes')],
    ['rooflineChart', rooflineChart(rows, madeUpDevice())],
    ['ratioMap', ratioMap(operators)],
  ])('%s is drawn in Node, as sound SVG in the colours of the page', (_, chart) => {
    const svg = chartSvg(chart as Chart).text;
    const { elements } = readPage(svg);
    expect(elements[0]?.name).toBe('svg');
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    const places = elements.flatMap(({ attributes: { d } }) => d ?? []);
    expect(places.length).toBeGreaterThan(8);
    for (const place of places) expect(place).toMatch(/^M-?[\d.]/);
    const colours = elements.flatMap(({ attributes: { fill = 'none', stroke = 'none' } }) => [fill, stroke]);
    const known = [...CHART_CSS.matchAll(/--chart-[\w-]+/g)].map(([name]) => `var(${name})`);
    for (const colour of colours) expect(['none', ...known]).toContain(colour);
    expect(chart?.label).toContain(chart?.title);
  });

  it('are not drawn where there is nothing to compare', () => {
    const none = [madeUpRefusal('wrong'), madeUpRow({ around: 3 })];
    expect(ratioChart(none)).toBeUndefined();
    expect(ratioMap(none)).toBeUndefined();
    expect(scalingChart(none, [], 'wallMs')).toBeUndefined();
    expect(rooflineChart(none, madeUpDevice())).toBeUndefined();
    const { roofline: _, ...device } = madeUpDevice();
    expect(rooflineChart(rows, device)).toBeUndefined();
  });
});

describe('ratioChart', () => {
  it('has a dot and an interval for everyone but the baseline and who has no time', () => {
    const chart = ratioChart([explicit, half, madeUpRefusal('wrong'), madeUpRefusal('absent', { role: 'peer' })]);
    const [bars, dots, ...others] = seriesOf(chart);
    expect(others).toEqual([]);
    const { value, interval } = half.timeRatio as NonNullable<Row['timeRatio']>;
    expect(dots?.data).toEqual([[Math.log10(value), 0]]);
    expect(bars?.data).toEqual([[...interval.map(Math.log10), 0]]);
    expect(chart?.label).toContain(`half ${formatTimes(value)}`);
  });

  it('names the comparison where there are several, and cuts off senseless intervals', () => {
    const wide = { ...half, comparison: 'other', timeRatio: { value: 1, interval: [1e-9, 1e9] } as const };
    const [bars] = seriesOf(ratioChart([explicit, half, wide]));
    expect(bars?.data[1]).toEqual([-2, 2, 1]);
    expect(ratioChart([explicit, half, wide])?.label).toContain('half · other');
  });

  it('escapes names in tooltips, which are HTML', () => {
    const [, dots] = seriesOf(ratioChart([explicit, { ...half, contender: '<b>&' }]));
    expect(dots?.tooltip?.formatter({ dataIndex: 0, value: dots.data[0] })).toMatch(/^&lt;b&gt;&amp;<br>0\.\d+× \(/);
  });
});

describe('scalingChart', () => {
  it('is relative to the baseline at the smallest N', () => {
    const at = (contender: string, tokens: number, around: number, baseline?: readonly number[] | 'itself') =>
      madeUpRow({ contender, parameters: { tokens }, around, peakTensorBytes: around * 1000 }, baseline);
    const baseline = [
      at('plain attention (explicit)', 100, 2, 'itself'),
      at('plain attention (explicit)', 1000, 200, 'itself'),
    ];
    const own = [at('LiSA', 1000, 40, baseline[1]?.samplesMs), at('LiSA', 100, 4, baseline[0]?.samplesMs)];
    const [lisa, plain] = seriesOf(scalingChart([...own, ...baseline], [], 'peakTensorBytes'));
    expect(plain?.data).toEqual([
      [2, 0],
      [3, 2],
    ]);
    expect(lisa?.data[0]).toEqual([2, Math.log10(2)]);
    expect(lisa?.data[1]?.[1]).toBeCloseTo(Math.log10(20), 12);
  });

  it('has the fitted slope of the same series in the legend', () => {
    const names = seriesOf(scalingChart(series, slopes, 'wallMs')).map(({ name }) => name);
    expect(names).toContain('LiSA (slope 1.10)');
    expect(names).toContain('plain attention (explicit) (slope 2.00)');
    const others = operators.filter(
      ({ parameters }) => parameters.headDim === 32 && parameters.direction === 'forward',
    );
    expect(seriesOf(scalingChart(others, slopes, 'wallMs')).map(({ name }) => name)).toContain('LiSA');
    const software = slopes.filter(({ softwareGpu }) => softwareGpu);
    expect(seriesOf(scalingChart(series, software, 'wallMs')).map(({ name }) => name)).toContain('LiSA');
  });
});

describe('rooflineChart', () => {
  it('places work by its intensity and its part of the peak, below a roof with a ridge', () => {
    const device = madeUpDevice({ roofline: { flopsPerSecond: 100, bytesPerSecond: 10, dispatchMs: 0 } });
    const roofline = { flopsPerSecond: 25, attainableFlopsPerSecond: 50, percent: 50, limit: 'bandwidth' } as const;
    const row = madeUpRow({ around: 1, cost: { macs: 50, bytes: 20 }, roofline });
    const software = { ...row, softwareGpu: true };
    const [roof, points] = seriesOf(rooflineChart([row, software, { ...row, backend: 'cpu' }], device));
    expect(points?.data).toEqual([[Math.log10(5), Math.log10(25)]]);
    const [left, ridge, right] = (roof?.data ?? []).map((place) => place.map((value) => 10 ** value));
    expect(ridge).toEqual([expect.closeTo(10), expect.closeTo(100)]);
    expect(left?.[1]).toBeCloseTo(10 * (left?.[0] as number));
    expect(right?.[1]).toBeCloseTo(100);
  });
});

describe('ratioMap', () => {
  it('says why a cell has no ratio, and never takes another baseline for its own', () => {
    const other = madeUpRow(
      { contender: 'LiSA', parameters: { tokens: 12544 }, around: 1, baseline: 'windowed attention' },
      explicit.samplesMs,
    );
    const at49 = { parameters: { tokens: 49 } };
    const some = [explicit, half, other, madeUpRefusal('wrong', { contender: 'half', ...at49 })];
    const svg = chartSvg(ratioMap(some) as Chart).text;
    for (const text of ['N = 49', 'N = 784', 'N = 12544', 'wrong', 'no baseline']) expect(svg).toContain(`>${text}<`);
    expect(svg.split('×<')).toHaveLength(2);
  });
});

describe('logTicks', () => {
  it('gives round numbers within the range, at most as many as asked for', () => {
    expect(logTicks(0.3, 1.1)).toEqual([0.3, 0.4, 0.5, 0.6, 0.8, 1, 1.1]);
    expect(logTicks(0.5, 3000)).toEqual([1, 3, 10, 30, 100, 300, 1000, 3000]);
    const range = fc.tuple(
      fc.double({ min: 1e-6, max: 1e6, noNaN: true }),
      fc.double({ min: 1.2, max: 1e9, noNaN: true }),
    );
    fc.assert(
      fc.property(range, ([low, factor]) => {
        const ticks = logTicks(low, low * factor);
        expect(ticks.length).toBeLessThanOrEqual(9);
        for (const tick of ticks) expect(tick / low).toBeGreaterThanOrEqual(0.999);
        for (const tick of ticks) expect(tick / (low * factor)).toBeLessThanOrEqual(1.001);
        expect(ticks).toEqual([...new Set(ticks)].sort((a, b) => a - b));
      }),
    );
  });
});

describe('colours', () => {
  const luminance = (colour: string) => {
    const parts = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
    const [r, g, b] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * (r as number) + 0.7152 * (g as number) + 0.0722 * (b as number);
  };
  const contrast = (a: string, b: string) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
    return (high + 0.05) / (low + 0.05);
  };

  it.each(['light', 'dark'] as const)('stand out from a %s page (WCAG 1.4.3, 1.4.11)', (theme) => {
    const { page, text, muted, less, more, series } = CHART_COLOURS[theme];
    for (const colour of [text, muted]) expect(contrast(colour, page)).toBeGreaterThanOrEqual(4.5);
    for (const colour of [less, more, ...series]) expect(contrast(colour, page)).toBeGreaterThanOrEqual(3);
  });

  it('and symbols make 56 different series', () => {
    const styles = Array.from({ length: 56 }, (_, place) => JSON.stringify(seriesStyle(place)));
    expect(new Set(styles).size).toBe(56);
  });
});
