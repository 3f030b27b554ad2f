import { formatNumber } from '@saccade/command-kit/format';
import { INK } from './colours.ts';

/** Mantissas of ticks, from many ticks to few. */
const MANTISSAS = [[1, 1.1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5, 6, 8], [1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]];

/** Round numbers between two positive ones, at most `most` (and at least two where the range has them). */
export function logTicks(low: number, high: number, most = 8): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const within = (mantissas: readonly number[], every = 1) =>
    Array.from({ length: last - first + 1 }, (_, decade) => first + decade)
      .filter((decade) => decade % every === 0)
      .flatMap((decade) => mantissas.map((mantissa) => Number(`${mantissa}e${decade}`)))
      .filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
  const few = MANTISSAS.map((mantissas) => within(mantissas)).find((ticks) => ticks.length <= most);
  return few ?? within([1], Math.ceil((last - first) / most));
}

/** What an axis shows. */
export interface LogAxis {
  readonly name: string;
  readonly values: readonly number[];
  /** where there are to be ticks; default round numbers */
  readonly ticks?: readonly number[];
  readonly most?: number;
  readonly format?: (value: number) => string;
}

/**
 * A logarithmic axis for data that are logarithms (base 10) already. ECharts' own has ticks at powers of its base only,
 * and most of our ratios lie between two of them.
 */
export function logAxis({ name, values, ticks, most, format = formatTimes }: LogAxis) {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  const [low, high] = [Math.min(...positive) / 1.08, Math.max(...positive) * 1.08];
  const places = (ticks ?? logTicks(low, high, most)).map(Math.log10);
  return {
    type: 'value' as const,
    name,
    nameLocation: 'middle' as const,
    nameTextStyle: { color: INK.muted, fontSize: 12 },
    min: Math.log10(low),
    max: Math.log10(high),
    axisLine: { show: true, onZero: false, lineStyle: { color: INK.muted } },
    axisTick: { show: true, customValues: places, lineStyle: { color: INK.muted } },
    axisLabel: { customValues: places, color: INK.muted, formatter: (place: number) => format(10 ** place) },
    splitLine: { show: true, lineStyle: { color: INK.line } },
  };
}

/** Three digits and no more: `0.5` -> `0.5×`, `12345` -> `12,300×` */
export function formatTimes(value: number): string {
  return `${formatNumber(Number(value.toPrecision(3)))}×`;
}

/** An interval that is wide beyond all sense must not widen the axis: cut off at a hundredth and at a hundredfold. */
export function within(value: number, centre: number): number {
  return Math.min(Math.max(value, centre / 100), centre * 100);
}
