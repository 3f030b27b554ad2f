import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { resultFiles, resultTables, withTables } from './readme.node.ts';

const inApp = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const results = await resultFiles(inApp('results'));

describe('withTables', () => {
  const readme = 'Before\n<!-- figures: begin -->\nold\n<!-- figures: end -->\nafter\n';

  it('replaces what is between the markers, and nothing else', () => {
    const expected = 'Before\n<!-- figures: begin -->\n\nnew\n\n<!-- figures: end -->\nafter\n';
    expect(withTables(readme, 'new')).toBe(expected);
    expect(withTables(expected, 'new')).toBe(expected);
  });

  it('refuses a README without a place for them', () => {
    expect(() => withTables('no markers', 'new')).toThrow('<!-- figures: begin -->');
  });
});

it('finds no results in a folder that is not there', async () => {
  expect(await resultFiles(inApp('no such folder'))).toEqual([]);
});

describe.skipIf(results.length === 0)('the README (skipped as long as results/ has no *.jsonl)', () => {
  it('has the figures of the committed results; `pnpm --filter @saccade/bench readme` writes them', async () => {
    const readme = await readFile(inApp('README.md'), 'utf8');
    expect(withTables(readme, await resultTables(inApp('results')))).toBe(readme);
  });
});
