import { afterAll, describe, expect, it } from 'vitest';
import type { BenchBackend } from '../core/comparison.ts';
import type { Row } from '../core/row.ts';
import type { DeviceLine, RunHeader, RunLine } from '../core/run.ts';
import { parseRun } from '../files/parseRun.ts';
import { BenchPage, type Wanted } from './testing/benchPage.ts';

/** The smallest comparison of the operators, which the scale `full` has. */
const OPERATORS: Wanted = { backend: 'wasm', suite: 'operators', only: 'n49-d32-b1/forward-backward', scale: 'full' };

/** One function by two who compute it. */
const SHORT: Wanted = { backend: 'wasm', suite: 'tensor-ops', only: 'gelu' };

const opened = await BenchPage.open();
if (typeof opened === 'string') console.warn(`SKIPPED: the page of the bench in a browser: ${opened}`);

describe.skipIf(typeof opened === 'string')('the page in a browser', () => {
  const bench = () => opened as BenchPage;
  const find = (selector: string) => bench().page.locator(selector);
  const focused = () => bench().page.evaluate(() => document.activeElement?.id);
  const text = (selector: string) => find(selector).textContent();

  afterAll(() => bench().close());

  async function downloadedLines(): Promise<RunLine[]> {
    const [name, jsonl] = await bench().downloaded('Download JSON lines');
    return parseRun(jsonl, name);
  }

  it('offers what the browser has where it computes, and says what is no GPU', async () => {
    for (const backend of ['wasm', 'webgl', 'webgpu']) expect(await find(`#backend-${backend}`).isEnabled()).toBe(true);
    for (const backend of ['webgl', 'webgpu']) {
      expect(await text(`#backend-${backend}-note`)).toMatch(/swiftshader.*nothing about a GPU/i);
    }
    // Without a GPU that is one, the processor is what the page proposes.
    expect(await find('#backend-wasm').isChecked()).toBe(true);
    expect(await bench().page.evaluate(() => crossOriginIsolated)).toBe(true);
  });

  it('says what is missing, and when there is nothing to do', async () => {
    await find('#backend-wasm').uncheck();
    await bench().page.getByRole('button', { name: 'Run' }).click();
    expect(await text('#complaint')).toBe('Choose a backend first.');
    await bench().start({ ...SHORT, only: 'no such name' });
    expect(await bench().ended()).toMatch(/^There is nothing to measure/);
    expect(await text('#complaint')).toBe('');
  });

  it('measures the operators on wasm, with progress, a table, charts and files', async () => {
    await bench().start(OPERATORS);
    expect(await find('#only').isDisabled()).toBe(true);
    expect(await focused()).toBe('cancel');
    await find('#detail')
      .filter({ hasText: /^wasm: operators\/attention\/n49-d32-b1\/forward-backward, is .* right\?$/ })
      .waitFor();
    expect(await text('#now')).toMatch(/^0 of 1 comparisons done/);
    expect(await bench().ended()).toMatch(/^Done: \d+ rows\.$/);
    expect(await focused()).toBe('start');

    const lines = await downloadedLines();
    const { home, options, machine, versions } = lines[0] as RunHeader;
    expect(versions).toMatchObject({ browser: expect.stringContaining('Chrome'), tfjs: expect.any(String) });
    expect({ home, only: options.only, cores: machine.cores > 0 }).toEqual({
      home: 'browser',
      only: [OPERATORS.only],
      cores: true,
    });
    const rows = lines.filter(isRow);
    expect(rows.filter(({ status }) => status === 'measured').length).toBeGreaterThan(4);
    expect(rows.filter(({ status }) => status === 'wrong' || status === 'failed')).toEqual([]);
    const shown = (await text('#table')) ?? '';
    for (const { contender } of rows) expect(shown).toContain(contender);
    await find('#charts .chart svg').first().waitFor();
    const [name, csv] = await bench().downloaded('Download CSV');
    expect(name).toMatch(/_wasm.*\.csv$/);
    expect(csv.trim().split('\n')).toHaveLength(rows.length + 1);
    expect(bench().complaints).toEqual([]);
  });

  it.each<BenchBackend>(['webgl', 'webgpu'])(
    'measures on %s, and keeps a driver in software apart',
    async (backend) => {
      await bench().start({ ...SHORT, backend, scale: 'full' });
      expect(await bench().ended()).toMatch(/^Done/);
      const lines = await downloadedLines();
      const device = lines.find((line): line is DeviceLine => line.kind === 'device');
      expect(device).toMatchObject({ backend, softwareGpu: true, description: expect.stringMatching(/swiftshader/i) });
      const rows = lines.filter(isRow);
      expect(rows.map(({ status, softwareGpu }) => ({ status, softwareGpu }))).toEqual(
        rows.map(() => ({ status: 'measured', softwareGpu: true })),
      );
      expect(await text('#devices')).toContain('nothing about a GPU');
      expect(await find('#table .group').allTextContents()).toEqual(
        expect.arrayContaining([expect.stringContaining('software driver')]),
      );
      await find('#charts .chart svg').first().waitFor();
      expect(bench().complaints).toEqual([]);
    },
  );

  it('can be cancelled, keeps what it has, and goes on', async () => {
    const { page } = bench();
    await bench().start({ backend: 'wasm', suite: 'operators' });
    await find('#table tbody').first().waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    expect(await bench().ended()).toMatch(/^Cancelled/);
    const kept = (await downloadedLines()).filter(isRow);
    expect(kept.length).toBeGreaterThan(0);
    expect(new Set(kept.map(({ comparison }) => comparison)).size).toBe(await find('#table tbody').count());
    await expect.poll(() => page.workers().map((worker) => worker.url()), { timeout: 15_000 }).toEqual([]);

    await bench().start(SHORT);
    expect(await bench().ended()).toMatch(/^Done/);
    expect(await find('#table tbody').count()).toBe(1);
  });

  it('measures anew what was measured while the page was hidden', async () => {
    await bench().start(SHORT);
    // While the backend is opened, which takes the longest and is measured too.
    await find('#detail').filter({ hasText: 'wasm: ' }).waitFor();
    await setHidden(true);
    await find('#notes li').filter({ hasText: 'hidden' }).waitFor();
    // Nothing of a hidden page arrives, however long it lasts: the worker is done long before.
    await expect(find('#table tbody').first().waitFor({ timeout: 4_000 })).rejects.toThrow(/Timeout/);
    await setHidden(false);
    expect(await bench().ended()).toMatch(/^Done/);
    const statuses = (await downloadedLines()).filter(isRow).map(({ status }) => status);
    expect(new Set(statuses)).toEqual(new Set(['measured']));
  });

  it('opens files of results, beside its own, and refuses others', async () => {
    const [name, jsonl] = await bench().downloaded('Download JSON lines');
    const open = async (name: string, text: string) => {
      await find('#open').setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) });
      await find('#opened').filter({ hasText: name }).waitFor();
    };
    await open('broken.jsonl', '{"kind":"row"');
    expect(await text('#opened')).toMatch(/^broken.jsonl was not opened: .*line 1: expected JSON/);
    await open(name, jsonl);
    expect(await find('#reference-column').isVisible()).toBe(true);
    expect(await find('#table tr.measured td:last-child').first().textContent()).toBe('1 (baseline)');

    await bench().page.reload();
    await find('#start:enabled').waitFor();
    await open('mean.jsonl', jsonl.replaceAll('"contender":"tfjs"', '"contender":"<img src=x onerror=alert(1)>"'));
    expect(await text('#table')).toContain('<img src=x onerror=alert(1)>');
    expect(await find('#table img').count()).toBe(0);
    expect(bench().complaints).toEqual([]);
  });

  /** No tab of a browser without windows is ever hidden: the test says it is, and tells the page as the browser would. */
  async function setHidden(hidden: boolean): Promise<void> {
    await bench().page.evaluate((hidden) => {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  }
});

function isRow(line: RunLine): line is Row {
  return line.kind === 'row';
}
