import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BenchBackend } from '../core/comparison.ts';
import type { Row } from '../core/row.ts';
import type { DeviceLine, RunLine } from '../core/run.ts';
import { parseRun } from '../files/parseRun.ts';
import { BenchPage } from './testing/benchPage.ts';

/** One comparison, the smallest there is. */
const SMALL = 'n49-d32-b1/forward+backward';

const opened = await BenchPage.open();
if (typeof opened === 'string') console.warn(`SKIPPED: the page of the bench in a browser: ${opened}`);

describe.skipIf(typeof opened === 'string')('the page in a browser', () => {
  const bench = () => opened as BenchPage;
  const text = (selector: string) => bench().page.locator(selector).innerText();

  afterAll(() => bench().close());

  async function lines(): Promise<RunLine[]> {
    const [name, jsonl] = await bench().downloaded('Download JSON lines');
    return parseRun(jsonl, name);
  }

  it('offers what the browser has, where it computes', async () => {
    for (const backend of ['wasm', 'webgl', 'webgpu'] as const) {
      expect(await bench().page.locator(`#backend-${backend}`).isEnabled()).toBe(true);
    }
    // No GPU is in reach of a test: both are SwiftShader, and the page says what that means.
    for (const backend of ['webgl', 'webgpu'])
      expect(await text(`#backend-${backend}-note`)).toMatch(/swiftshader.*nothing about a GPU/i);
    expect(await bench().page.evaluate(() => crossOriginIsolated)).toBe(true);
  });

  it.each<[BenchBackend, boolean]>([
    ['wasm', false],
    ['webgl', true],
    ['webgpu', true],
  ])('measures on %s', async (backend, software) => {
    await bench().start({ backend, suite: 'operators', only: SMALL });
    expect(await bench().ended()).toMatch(/^Done/);
    const all = await lines();
    const device = all.find((line): line is DeviceLine => line.kind === 'device');
    expect(device).toMatchObject({ backend, softwareGpu: software });
    const rows = all.filter((line): line is Row => line.kind === 'row');
    expect(rows.filter(({ status }) => status === 'measured').length).toBeGreaterThan(4);
    expect(rows.filter(({ status }) => status === 'wrong' || status === 'failed')).toEqual([]);
    expect(await text('#table')).toContain(rows[0]?.contender);
    expect(await bench().page.locator('#table .software').count()).toBe(software ? 1 : 0);
    await bench().page.locator('#charts .chart svg').first().waitFor();
    expect(bench().complaints).toEqual([]);
  });
});
