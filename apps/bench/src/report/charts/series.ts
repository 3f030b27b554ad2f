import { grouped } from '../../core/grouped.ts';
import type { Row } from '../../core/row.ts';
import type { SlopeLine } from '../../core/run.ts';

/** What can be plotted over N. */
export type ScalingQuantity = SlopeLine['quantity'];

/** Everything of a comparison but N: what makes a series of its rows. */
export function withoutTokens(parameters: Row['parameters']): Row['parameters'] {
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => name !== 'tokens'));
}

/** A name for a series that differs as soon as one parameter does, in whatever order they stand. */
export function seriesKey({ suite, backend, parameters }: Pick<Row, 'suite' | 'backend' | 'parameters'>): string {
  return JSON.stringify([
    suite,
    backend,
    ...Object.entries(withoutTokens(parameters)).sort(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}

/** Whether a slope was fitted to the series that a row belongs to. */
export function sameSeries(row: Row, slope: SlopeLine): boolean {
  return (
    row.contender === slope.contender && row.softwareGpu === slope.softwareGpu && seriesKey(row) === seriesKey(slope)
  );
}

/** N and the quantity of measured rows, by N. */
export function pointsOf(
  rows: readonly Row[],
  quantity: ScalingQuantity,
): (readonly [tokens: number, value: number])[] {
  return rows
    .flatMap((row): (readonly [number, number])[] => {
      const { tokens } = row.parameters;
      const measured = row[quantity];
      const value = typeof measured === 'object' ? measured.median : measured;
      const sound = row.status === 'measured' && typeof tokens === 'number' && tokens > 0;
      return sound && value !== undefined && value > 0 ? [[tokens, value]] : [];
    })
    .sort(([a], [b]) => a - b);
}

/** What most of the rows are divided by: where it is missing at some N, something else takes its place there. */
export function mainBaseline(rows: readonly Row[]): string | undefined {
  const counts = grouped(
    rows.filter(({ timeRatio }) => timeRatio !== undefined),
    ({ baseline }) => baseline,
  );
  return [...counts].sort(([, a], [, b]) => b.length - a.length)[0]?.[0];
}
