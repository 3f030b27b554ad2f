import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe } from 'vitest';
import { BrowserError } from './chromium.ts';
import { type LaunchOptions, launchBrowser } from './launch.ts';
import { type ModulePage, openModule, type PageOptions } from './page.ts';

/**
 * `describe` with a module loaded in a browser. Where no browser starts, the block is skipped and says so.
 *
 * ```ts
 * type Exported = typeof import('./testing/page.ts');
 * await describeInBrowser<Exported>('storage', new URL('./testing/page.ts', import.meta.url), (page) => {
 *   it('keeps', async () => expect(await page().call('storeAndRead', 'text')).toBe('text'));
 * });
 * ```
 *
 * @param module what the page loads; it may import packages by name and its own files, not Node's modules
 * @param tests gets the page as a function, to be called inside tests and hooks
 */
export async function describeInBrowser<M>(
  title: string,
  module: URL,
  tests: (page: () => ModulePage<M>) => void,
  options: PageOptions & LaunchOptions = {},
): Promise<void> {
  const started = await start(options);
  if (typeof started === 'string') {
    console.warn(`SKIPPED: ${title} in a browser: ${started}`);
    describe.skip(`${title} [browser: skipped, ${started.split('\n', 1)[0]}]`, () => tests(unavailable));
    return;
  }
  describe(`${title} [Chromium ${started.version()}]`, () => {
    let page: ModulePage<M> | undefined;
    beforeAll(async () => {
      page = await openModule<M>(started, module, options);
    });
    afterAll(async () => {
      await page?.close();
      await started.close();
    });
    tests(() => page ?? unavailable());
  });
}

async function start(options: LaunchOptions): Promise<Browser | string> {
  try {
    return await launchBrowser(options);
  } catch (error) {
    if (error instanceof BrowserError) return error.message;
    throw error;
  }
}

function unavailable(): never {
  throw new Error('the page is opened in a hook: use it inside a test');
}
