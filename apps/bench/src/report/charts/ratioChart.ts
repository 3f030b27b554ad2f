import type { CustomSeriesOption } from 'echarts/charts';
import type { Ratio, Row } from '../../core/row.ts';
import { formatTimes, logAxis, within } from './axes.ts';
import { INK, seriesStyle } from './colours.ts';
import { commonOption, legendAbove, tooltip } from './common.ts';
import type { Chart } from './echarts.ts';

interface Dot {
  readonly row: Row;
  readonly ratio: Ratio;
  readonly name: string;
}

const ROLES = {
  saccade: { name: 'Saccade', style: seriesStyle(0) },
  peer: { name: 'peer', style: seriesStyle(1) },
} as const;

/**
 * Times of contenders by their baseline's, as dots with 95 % intervals on a logarithmic axis; the baseline is the line at 1.
 *
 * @param rows of one comparison, or of several, whose names then stand beside the contenders'
 * @returns nothing where no row has a ratio to another one
 */
export function ratioChart(rows: readonly Row[]): Chart | undefined {
  const several = new Set(rows.map(({ comparison }) => comparison)).size > 1;
  const dots = rows.flatMap((row) => dotOf(row, several));
  if (dots.length === 0) return undefined;
  const baselines = [...new Set(dots.map(({ row }) => row.baseline as string))];
  const [only] = baselines;
  const baseline = baselines.length === 1 ? only : 'the baseline';
  const title = `Time relative to ${baseline}, with 95 % intervals`;
  const label = `${title}: ${dots.map(describe).join('; ')}`;
  const roles = (['saccade', 'peer'] as const).filter((role) => dots.some(({ row }) => row.role === role));
  const { legend, below } = legendAbove(
    roles.map((role) => ROLES[role].name),
    10,
  );
  const ends = dots.flatMap(({ ratio }) => ratio.interval.map((end) => within(end, ratio.value)));
  const names = dots.map(({ name }) => name);
  const option = {
    ...commonOption(label),
    legend,
    grid: { left: 8, right: 24, top: below, bottom: 36 },
    xAxis: { ...logAxis({ name: `time by that of ${baseline} (less is faster)`, values: [...ends, 1] }), nameGap: 26 },
    yAxis: {
      type: 'category' as const,
      inverse: true,
      data: names,
      axisLine: { show: false },
      axisTick: { show: false },
      axisLabel: { color: INK.text, interval: 0, width: 320, overflow: 'truncate' as const },
    },
    series: [
      intervals(dots),
      ...roles.map((role, place) => ({
        type: 'scatter' as const,
        name: ROLES[role].name,
        symbol: ROLES[role].style.symbol,
        itemStyle: { color: ROLES[role].style.color },
        symbolSize: 10,
        emphasis: { disabled: true },
        data: dots.flatMap(({ row, ratio }, line) => (row.role === role ? [[Math.log10(ratio.value), line]] : [])),
        tooltip: {
          formatter: ({ value }: { value: unknown }) => {
            const dot = dots[(value as number[])[1] as number] as Dot;
            return tooltip(
              dot.name,
              `${formatTimes(dot.ratio.value)} (${dot.ratio.interval.map(formatTimes).join(' to ')})`,
            );
          },
        },
        // The line at 1 belongs to whichever series comes first.
        ...(place === 0 && { markLine: lineAt(0) }),
      })),
    ],
  } as Chart['option'];
  return { option, height: below + 52 + 24 * dots.length, title, label };
}

function dotOf(row: Row, several: boolean): Dot[] {
  const { timeRatio: ratio, contender, baseline, comparison } = row;
  if (row.status !== 'measured' || !ratio || !(ratio.value > 0) || contender === baseline) return [];
  return [{ row, ratio, name: several ? `${contender} · ${comparison}` : contender }];
}

function describe({ name, ratio }: Dot): string {
  return `${name} ${formatTimes(ratio.value)}`;
}

function lineAt(x: number) {
  return {
    silent: true,
    symbol: 'none',
    label: { show: false },
    lineStyle: { color: INK.text, type: 'dashed' as const, width: 1.5 },
    data: [{ xAxis: x }],
  };
}

/** Error bars: ECharts has none of its own. */
function intervals(dots: readonly Dot[]): CustomSeriesOption {
  return {
    type: 'custom',
    silent: true,
    data: dots.map(({ ratio: { value, interval } }, line) => [
      Math.log10(within(interval[0], value)),
      Math.log10(within(interval[1], value)),
      line,
    ]),
    encode: { x: [0, 1], y: 2 },
    renderItem: (_, api) => {
      const [x1, y] = api.coord([api.value(0), api.value(2)]) as [number, number];
      const [x2] = api.coord([api.value(1), api.value(2)]) as [number, number];
      const cap = (x: number) => `M${x} ${y - 4}V${y + 4}`;
      return {
        type: 'path',
        shape: { pathData: `M${x1} ${y}H${x2}${cap(x1)}${cap(x2)}` },
        style: { fill: 'none', stroke: INK.muted, lineWidth: 1.5 },
      };
    },
  };
}
