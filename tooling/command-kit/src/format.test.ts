import { describe, expect, it } from 'vitest';
import { formatBytes, formatCompact, formatDuration, formatInteger, formatNumber, formatPercent } from './format.ts';

describe('formats', () => {
  it.each([
    [formatPercent(0.93142), '93.1\u00a0%'],
    [formatPercent(1, 0), '100\u00a0%'],
    [formatInteger(1234567.4), '1,234,567'],
    [formatCompact(12_345_678), '12.3 M'],
    [formatCompact(999), '999'],
    [formatCompact(1.5e9), '1.5 G'],
    [formatNumber(0.0123456), '0.0123'],
    [formatNumber(1e-9), '0.000000001'],
    [formatNumber(-2.5), '-2.5'],
    [formatNumber(123456), '123,456'],
    [formatBytes(0), '0 B'],
    [formatBytes(5 * 2 ** 20), '5 MiB'],
    [formatDuration(59.4), '59 s'],
    [formatDuration(200), '3 min 20 s'],
    [formatDuration(3900), '1 h 05 min'],
  ])('%s', (actual, expected) => {
    expect(actual).toBe(expected);
  });

  it('shows what was not measured as a dash', () => {
    for (const format of [formatPercent, formatInteger, formatCompact, formatNumber, formatBytes, formatDuration]) {
      expect(format(Number.NaN)).toBe('–');
    }
  });
});
