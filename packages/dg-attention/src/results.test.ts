import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { slope } from './testing/measure.ts';

/** What was measured last: `pnpm --filter @saccade/dg-attention run measure --save`. */
const text = await readFile(new URL('../results/wasm.csv', import.meta.url), 'utf8');
const [head, ...lines] = text.trim().split('\n');
const names = (head as string).split(',');
const rows = lines.map((line) => Object.fromEntries(line.split(',').map((value, i) => [names[i] as string, value])));

/** The first row in which all of `values` stand. */
function row(values: Record<string, string>): (column: string) => number {
  const found = rows.find((candidate) => Object.entries(values).every(([name, value]) => candidate[name] === value));
  return (column) => Number(found?.[column]);
}

describe('the committed measurements', () => {
  const [dg, global] = ['dg', 'global'].map((what) => row({ tokens: '3136', what })) as [
    ReturnType<typeof row>,
    ReturnType<typeof row>,
  ];

  it('take at most 0.35 of the time and 0.25 of the memory of attention between all tokens', () => {
    expect(dg('median_wall_ms')).toBeLessThan(0.35 * global('median_wall_ms'));
    expect(dg('median_cpu_ms')).toBeLessThan(0.35 * global('median_cpu_ms'));
    expect(dg('peak_bytes')).toBeLessThan(0.25 * global('peak_bytes'));
  });

  it('grow about linearly with the tokens', () => {
    const points = [784, 1568, 3136, 6272, 12544].map(
      (tokens) => [tokens, row({ tokens: `${tokens}`, what: 'dg' })('median_cpu_ms')] as const,
    );
    expect(slope(points)).toBeLessThan(1.2);
  });

  it('count 2kNC + 2NGC multiply-accumulates, and those that whole tiles add', () => {
    for (const one of rows.filter(({ what }) => what === 'dg')) {
      const [tokens, groups, keys, heads, size] = ['tokens', 'groups', 'top_k', 'heads', 'head_dim'].map((name) =>
        Number(one[name]),
      ) as [number, number, number, number, number];
      expect(Number(one.macs)).toBe(2 * (keys + groups) * tokens * heads * size);
      // All N here are whole tiles of 8; k and G are filled up to them, G for the assignment only.
      const tiles = (count: number) => 8 * Math.ceil(count / 8);
      expect(Number(one.macs_executed)).toBe((2 * tiles(keys) + tiles(groups) + groups) * tokens * heads * size);
    }
  });
});
