import { formatBytes, formatNumber, formatPercent } from '@saccade/command-kit/format';
import { type Html, html } from '@saccade/command-kit/html';
import type { Ratio, Row } from '../../core/row.ts';

/** Three digits: `0.123×`. */
export function times(value: number): string {
  return `${formatNumber(Number(value.toPrecision(3)))}×`;
}

/** `1.8× (1.7 to 1.9)` */
export function ratioText({ value, interval }: Pick<Ratio, 'value'> & Partial<Ratio>): string {
  if (interval === undefined) return times(value);
  const [low, high] = interval.map((end) => formatNumber(Number(end.toPrecision(3))));
  return `${times(value)} (${low} to ${high})`;
}

/** The same as a cell, whose interval stays in one line. */
export function ratioCell({ value, interval }: Pick<Ratio, 'value'> & Partial<Ratio>): Html {
  if (interval === undefined) return html`${times(value)}`;
  return html`${times(value)} <i>${ratioText({ value, interval }).slice(times(value).length + 1)}</i>`;
}

/** `tokens 784 · batch 1` */
export function parametersText(parameters: Row['parameters']): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name} ${value}`)
    .join(' · ');
}

/** By what its name says: `gzipBytes`, `waitShare`, `batches`. Times are none of the report's. */
export function quantityText(name: string, value: number): string {
  if (/bytes/i.test(name)) return formatBytes(value);
  if (/share$/i.test(name)) return formatPercent(value);
  if (/percent$/i.test(name)) return formatPercent(value / 100);
  if (/ratio$/i.test(name)) return times(value);
  return formatNumber(value);
}

/** Whether a quantity is a time, which stands in the lines and not in the report. */
export function isTime(name: string): boolean {
  return /(?:Ms|^ms|[sS]econds)$/.test(name);
}

/** `gzipBytes` -> `gzip bytes` */
export function words(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);
}

/** `1 row`, `2 rows` */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
