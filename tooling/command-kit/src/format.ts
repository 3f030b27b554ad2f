/** Numbers as people read them, the same in the terminal and in the report. `NaN` (not measured) becomes a dash. */

const MISSING = '–';

/** `0.9314` -> `93.1 %`, with a space that does not break */
export function formatPercent(value: number, digits = 1): string {
  return Number.isFinite(value) ? `${(100 * value).toFixed(digits)}\u00a0%` : MISSING;
}

/** `1234567` -> `1,234,567` */
export function formatInteger(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : MISSING;
}

/** Three significant digits with a unit prefix: `12345678` -> `12.3 M` */
export function formatCompact(value: number): string {
  if (!Number.isFinite(value)) return MISSING;
  const [divisor, prefix] =
    value >= 1e9 ? [1e9, ' G'] : value >= 1e6 ? [1e6, ' M'] : value >= 1e3 ? [1e3, ' k'] : [1, ''];
  return `${formatNumber(value / divisor)}${prefix}`;
}

/** Three significant digits, never in exponential form: `0.012345` -> `0.0123`, `1234.5` -> `1,235` */
export function formatNumber(value: number): string {
  return Number.isFinite(value)
    ? value.toLocaleString('en-US', {
        maximumSignificantDigits: Math.abs(value) >= 1000 ? 21 : 3,
        maximumFractionDigits: 20,
      })
    : MISSING;
}

/** Binary units: `5242880` -> `5 MiB` */
export function formatBytes(value: number): string {
  if (!Number.isFinite(value)) return MISSING;
  const power = value < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(value) / 10));
  return `${formatNumber(value / 1024 ** power)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}

/** Seconds as `8 s`, `3 min 20 s` or `1 h 05 min` */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return MISSING;
  const whole = Math.max(0, Math.round(seconds));
  const two = (part: number) => String(part).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}
