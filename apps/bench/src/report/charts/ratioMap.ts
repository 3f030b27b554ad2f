import type { Row } from '../../core/row.ts';
import { formatTimes } from './axes.ts';
import { INK } from './colours.ts';
import { commonOption, tooltip } from './common.ts';
import type { Chart } from './echarts.ts';
import { mainBaseline, withoutTokens } from './series.ts';

/** The ratio at which a cell has its full colour, to either side. */
const FULL = 8;

/**
 * Times of operators by their baseline's, over N: blue where they are faster, orange where they are slower. Cells of rows
 * without a time say why.
 *
 * @param rows with `tokens` among their parameters; one line for each contender, and for each set of other parameters if they
 * differ
 * @returns nothing where no row has a ratio to another one, or there is one N only
 */
export function ratioMap(rows: readonly Row[]): Chart | undefined {
  const baseline = mainBaseline(rows);
  if (baseline === undefined) return undefined;
  const shown = rows.filter(
    ({ parameters, contender, status }) =>
      typeof parameters.tokens === 'number' && status !== 'absent' && contender !== baseline,
  );
  const ratioOf = (row: Row) => (row.baseline === baseline ? row.timeRatio?.value : undefined);
  const ratios = shown.flatMap((row) => ratioOf(row) ?? []);
  if (ratios.length === 0) return undefined;
  const named = nameLines(shown);
  const sizes = [...new Set(named.map(({ row }) => row.parameters.tokens as number))].sort((a, b) => a - b);
  if (sizes.length < 2) return undefined;
  const lines = [...new Set(named.map(({ line }) => line))];
  const cells = named.map(({ row, line }) => ({
    row,
    line,
    ratio: ratioOf(row),
    text: textOf(row, ratioOf(row)),
    place: [sizes.indexOf(row.parameters.tokens as number), lines.indexOf(line)] as const,
  }));
  const common = commonParameters(shown);
  const title = `Time relative to ${baseline} over N: blue is less, orange is more${common && ` (${common})`}`;
  const less = ratios.filter((ratio) => ratio < 1).length;
  const label = `${title}. ${less} of ${ratios.length} are less than 1; the tables have the numbers`;
  const axis = { type: 'category' as const, axisLine: { show: false }, axisTick: { show: false } };
  const option = {
    ...commonOption(label),
    grid: { left: 8, right: 8, top: 32, bottom: 8 },
    xAxis: {
      ...axis,
      position: 'top' as const,
      data: sizes.map((tokens) => `N = ${tokens}`),
      axisLabel: { color: INK.muted, interval: 0 },
    },
    yAxis: {
      ...axis,
      inverse: true,
      data: lines,
      axisLabel: { color: INK.text, interval: 0, width: 320, overflow: 'truncate' as const },
    },
    series: [
      {
        type: 'custom' as const,
        data: cells.map(({ place }) => [...place]),
        encode: { x: 0, y: 1 },
        emphasis: { disabled: true },
        tooltip: {
          formatter: ({ dataIndex }: { dataIndex: number }) => {
            const { row, line, text } = cells[dataIndex] as (typeof cells)[number];
            return tooltip(line, `N = ${row.parameters.tokens}: ${text}`, row.reason);
          },
        },
        renderItem: drawCell(cells),
      },
    ],
  } as Chart['option'];
  return { option, height: 44 + 26 * lines.length, title, label };
}

function textOf({ status }: Row, ratio: number | undefined): string {
  if (ratio !== undefined) return formatTimes(ratio);
  return status === 'measured' ? 'no baseline' : status;
}

/** A cell of the map; its text is readable in both themes, since the colours below it are thin. */
function drawCell(cells: readonly { readonly ratio: number | undefined; readonly text: string }[]) {
  return (
    { dataIndex }: { dataIndex: number },
    api: {
      value(dimension: number): unknown;
      coord(data: unknown[]): number[];
      size(data: number[]): unknown;
    },
  ) => {
    const { ratio, text } = cells[dataIndex] as (typeof cells)[number];
    const [x, y] = api.coord([api.value(0), api.value(1)]) as [number, number];
    const [width, height] = api.size([1, 1]) as [number, number];
    const strength = ratio === undefined ? 0.5 : Math.min(1, Math.abs(Math.log(ratio)) / Math.log(FULL));
    return {
      type: 'rect' as const,
      shape: { x: x - width / 2 + 1, y: y - height / 2 + 1, width: width - 2, height: height - 2 },
      style: {
        fill: ratio === undefined ? INK.line : ratio < 1 ? INK.less : INK.more,
        fillOpacity: 0.06 + 0.5 * strength,
      },
      textContent: { type: 'text' as const, style: { text, fill: INK.text, fontSize: 12, fontFamily: 'sans-serif' } },
      textConfig: { position: 'inside' as const },
    };
  };
}

/** A line's name has those of the other parameters that differ from row to row. */
function nameLines(rows: readonly Row[]): { readonly row: Row; readonly line: string }[] {
  const differing = parameterNames(rows, (values) => values > 1);
  return rows.map((row) => ({ row, line: [row.contender, ...parametersOf(row, differing)].join(' · ') }));
}

function commonParameters(rows: readonly Row[]): string {
  return rows[0] === undefined
    ? ''
    : parametersOf(
        rows[0],
        parameterNames(rows, (values) => values === 1),
      ).join(', ');
}

/** Names of parameters, but N, that have as many values in these rows. */
function parameterNames(rows: readonly Row[], as: (values: number) => boolean): string[] {
  const names = new Set(rows.flatMap(({ parameters }) => Object.keys(withoutTokens(parameters))));
  return [...names].filter((name) => as(new Set(rows.map(({ parameters }) => parameters[name])).size));
}

function parametersOf({ parameters }: Row, names: readonly string[]): string[] {
  return names.flatMap((name) => (parameters[name] === undefined ? [] : `${name} ${parameters[name]}`));
}
