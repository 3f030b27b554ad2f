import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BrowserError, launchBrowser } from '@saccade/browser';
import type { BenchBackend } from '../../core/comparison.ts';
import { servePage } from '../serve.node.ts';

type Browser = Awaited<ReturnType<typeof launchBrowser>>;
type Page = Awaited<ReturnType<Browser['newPage']>>;

/** What a test wants the page to measure. */
export interface Wanted {
  readonly backend: BenchBackend;
  readonly suite: string;
  readonly only?: string;
  /** default `quick` */
  readonly scale?: 'quick' | 'full';
}

/** The page of the bench, built and served, in a browser that has all of its backends. */
export class BenchPage {
  readonly page: Page;
  /** everything that went wrong in the page, and everything that it looked for and did not find */
  readonly complaints: string[] = [];
  readonly #close: () => Promise<void>;

  private constructor(page: Page, close: () => Promise<void>) {
    this.page = page;
    this.#close = close;
    page.on('pageerror', (error) => this.complaints.push(error.stack ?? error.message));
    page.on('response', (response) => {
      if (response.status() >= 400) this.complaints.push(`${response.status()} ${response.url()}`);
    });
  }

  /** @returns why there is none, where no browser starts */
  static async open(): Promise<BenchPage | string> {
    let browser: Browser;
    try {
      browser = await launchBrowser({ webgpu: true });
    } catch (error) {
      if (error instanceof BrowserError) return error.message;
      throw error;
    }
    const folder = await mkdtemp(join(tmpdir(), 'saccade-bench-page-'));
    const served = await servePage({ folder });
    const close = async () => {
      await browser.close();
      await served.close();
      await rm(folder, { recursive: true });
    };
    const opened = new BenchPage(await browser.newPage(), close);
    await opened.page.goto(served.url);
    await opened.page.locator('#start:enabled').waitFor();
    return opened;
  }

  /** Fills the form in and presses the button; peers stay out. */
  async start({ backend, suite, only = '', scale = 'quick' }: Wanted): Promise<void> {
    const { page } = this;
    await page.locator('#start:enabled').waitFor();
    for (const box of await page.locator('#backends input:enabled, #suites input, #peers').all()) {
      await box.setChecked([backend, suite].includes(await box.inputValue()));
    }
    await page.locator(`#scale-${scale}`).check();
    await page.locator('#only').fill(only);
    await page.getByRole('button', { name: 'Run' }).click();
  }

  /** Waits for the end of a run. @returns the sentence that the page ends it with */
  async ended(): Promise<string> {
    await this.page.locator('#start:enabled').waitFor({ timeout: 50_000 });
    return (await this.page.locator('#now').textContent()) ?? '';
  }

  /** Presses a button that gives a file. @returns its name and text */
  async downloaded(button: string): Promise<readonly [name: string, text: string]> {
    const download = this.page.waitForEvent('download');
    await this.page.getByRole('button', { name: button }).click();
    const file = await download;
    return [file.suggestedFilename(), await readFile(await file.path(), 'utf8')];
  }

  close(): Promise<void> {
    return this.#close();
  }
}
