import { formatNumber } from '@saccade/command-kit/format';
import { grouped } from '../../core/grouped.ts';
import type { Row } from '../../core/row.ts';
import type { DeviceLine } from '../../core/run.ts';
import { logAxis } from './axes.ts';
import { CHART_COLOURS, INK, seriesStyle } from './colours.ts';
import { commonOption, legendAbove, tooltip } from './common.ts';
import type { Chart } from './echarts.ts';

interface Point {
  readonly row: Row;
  /** operations per byte */
  readonly intensity: number;
  /** percent of the rate of fused multiply-adds */
  readonly percent: number;
}

/**
 * Roofline (Williams, Waterman, Patterson 2009): what each piece of work reaches over how many operations it has for each
 * byte that must move. The roof is what was measured on the device in the same run; its flat part is 100 %.
 *
 * @param rows of the device's backend; rows of others, without costs or with no time are left aside
 * @returns nothing where the device has no roofline or no row has a share of it
 */
export function rooflineChart(rows: readonly Row[], device: DeviceLine): Chart | undefined {
  const { roofline } = device;
  if (roofline === undefined) return undefined;
  const points = rows.flatMap((row) => pointOf(row, device, roofline.flopsPerSecond));
  if (points.length === 0) return undefined;
  const groups = groupPoints(points);
  const ridge = roofline.flopsPerSecond / roofline.bytesPerSecond;
  const intensities = [...points.map(({ intensity }) => intensity), ridge];
  const range = [Math.min(...intensities) / 1.5, ridge, Math.max(...intensities) * 1.5];
  const roof = range.map((intensity) => [intensity, Math.min(100, (100 * intensity) / ridge)] as const);
  const title = `Roofline of ${device.description}`;
  const label = `${title}: ${points.length} results in percent of the rate of fused multiply-adds, over operations per byte. Work of fewer than ${formatNumber(ridge)} operations per byte is limited by memory bandwidth.`;
  const { legend, below } = legendAbove(['roof', ...groups.map(([name]) => name)], 12);
  const percents = [...points.map(({ percent }) => percent), ...roof.map(([, percent]) => percent)];
  const option = {
    ...commonOption(label),
    legend,
    grid: { left: 24, right: 20, top: below, bottom: 36 },
    xAxis: {
      ...logAxis({ name: 'operations per byte that must move', values: range, format: formatNumber }),
      nameGap: 28,
    },
    yAxis: {
      ...logAxis({ name: 'percent of peak rate', values: percents, format: (value) => `${formatNumber(value)} %` }),
      nameGap: 52,
    },
    series: [
      {
        type: 'line' as const,
        name: 'roof',
        symbol: 'none',
        silent: true,
        lineStyle: { color: INK.text, width: 2 },
        itemStyle: { color: INK.text },
        data: roof.map((place) => place.map(Math.log10)),
      },
      ...groups.map(([name, own], place) => {
        const { color, symbol } = seriesStyle(place);
        return {
          type: 'scatter' as const,
          name,
          symbol,
          symbolSize: 8,
          itemStyle: { color, opacity: 0.8 },
          emphasis: { disabled: true },
          data: own.map(({ intensity, percent }) => [Math.log10(intensity), Math.log10(percent)]),
          tooltip: {
            formatter: ({ dataIndex }: { dataIndex: number }) => {
              const { row } = own[dataIndex] as Point;
              const share = `${formatNumber(row.roofline?.percent ?? Number.NaN)} % of what is attainable`;
              return tooltip(row.contender, row.comparison, `${share} (limited by ${row.roofline?.limit})`);
            },
          },
        };
      }),
    ],
  } as Chart['option'];
  return { option, height: below + 340, title, label };
}

function pointOf(row: Row, device: DeviceLine, peak: number): Point[] {
  const { cost, roofline, status } = row;
  if (row.backend !== device.backend || row.softwareGpu !== device.softwareGpu || status !== 'measured') return [];
  if (!cost?.macs || !cost.bytes || !roofline || !(roofline.flopsPerSecond > 0)) return [];
  return [{ row, intensity: (2 * cost.macs) / cost.bytes, percent: (100 * roofline.flopsPerSecond) / peak }];
}

/** By contender as long as there are enough colours, else by suite. */
function groupPoints(points: readonly Point[]): (readonly [name: string, points: readonly Point[]])[] {
  const byContender = grouped(points, ({ row }) => row.contender);
  const few = byContender.size <= CHART_COLOURS.light.series.length;
  return [...(few ? byContender : grouped(points, ({ row }) => row.suite))];
}
