import { grouped } from '../../core/grouped.ts';
import type { Row } from '../../core/row.ts';
import type { SlopeLine } from '../../core/run.ts';
import { formatTimes, logAxis } from './axes.ts';
import { seriesStyle } from './colours.ts';
import { commonOption, legendAbove, tooltip } from './common.ts';
import type { Chart } from './echarts.ts';
import { mainBaseline, pointsOf, type ScalingQuantity, sameSeries } from './series.ts';

const NAMES: Readonly<Record<ScalingQuantity, string>> = {
  wallMs: 'Time',
  cpuMs: 'Processor time',
  gpuMs: 'GPU time',
  peakTensorBytes: 'Peak memory of tensors',
  peakDeviceBytes: 'Peak memory of the device',
};

/**
 * How a quantity grows with N: both axes logarithmic, one line for each contender, its fitted slope in the legend. Values
 * are relative to the baseline's at the smallest N.
 *
 * @param rows of one series of comparisons, which differ in `tokens` alone
 * @param slopes those of other series are left aside
 * @returns nothing where no contender has this quantity at two N
 */
export function scalingChart(
  rows: readonly Row[],
  slopes: readonly SlopeLine[],
  quantity: ScalingQuantity,
): Chart | undefined {
  const lines = [...grouped(rows, ({ contender }) => contender)]
    .map(([contender, own]) => ({ contender, own, points: pointsOf(own, quantity) }))
    .filter(({ points }) => points.length > 1);
  const main = mainBaseline(rows);
  const baseline = lines.find(({ contender }) => contender === main) ?? lines[0];
  if (baseline === undefined) return undefined;
  const [smallest, unit] = baseline.points[0] as readonly [number, number];
  const named = lines.map(({ contender, own, points }) => {
    const fit = slopes.find((line) => line.quantity === quantity && own.some((row) => sameSeries(row, line)));
    const slope = fit?.slope.toFixed(2);
    return { name: slope ? `${contender} (slope ${slope})` : contender, contender, slope, points };
  });
  const title = `${NAMES[quantity]} over N, relative to ${baseline.contender} at N = ${smallest}`;
  const label = `${title}. ${named.map(({ contender, slope }) => `${contender}: ${slope ? `slope ${slope}` : 'no slope fitted'}`).join('; ')}`;
  const { legend, below } = legendAbove(named.map(({ name }) => name));
  const sizes = [...new Set(named.flatMap(({ points }) => points.map(([tokens]) => tokens)))].sort((a, b) => a - b);
  const option = {
    ...commonOption(label),
    legend,
    grid: { left: 24, right: 20, top: below, bottom: 36 },
    xAxis: { ...logAxis({ name: 'N, tokens', values: sizes, ticks: sizes, format: formatTokens }), nameGap: 28 },
    yAxis: {
      ...logAxis({
        name: NAMES[quantity],
        values: named.flatMap(({ points }) => points.map(([, value]) => value / unit)),
      }),
      nameGap: 52,
    },
    series: named.map(({ name, contender, points }, place) => {
      const { color, symbol } = seriesStyle(place);
      return {
        type: 'line' as const,
        name,
        symbol,
        symbolSize: 8,
        itemStyle: { color },
        lineStyle: { color, width: 2 },
        emphasis: { disabled: true },
        data: points.map(([tokens, value]) => [Math.log10(tokens), Math.log10(value / unit)]),
        tooltip: {
          formatter: ({ dataIndex }: { dataIndex: number }) => {
            const [tokens, value] = points[dataIndex] as readonly [number, number];
            return tooltip(contender, `N = ${tokens}: ${formatTimes(value / unit)}`);
          },
        },
      };
    }),
  } as Chart['option'];
  return { option, height: below + 300, title, label };
}

function formatTokens(tokens: number): string {
  return String(Math.round(tokens));
}
