import { afterEach, describe, expect, it, vi } from 'vitest';
import { BrowserError, browserFiles, describeInBrowser, launchBrowser, openModule } from './index.ts';

type Exported = typeof import('./testing/page.ts');
const module = new URL('./testing/page.ts', import.meta.url);

await describeInBrowser<Exported>(
  'a module in a page',
  module,
  (page) => {
    it('runs its functions', async () => {
      expect(await page().call('add', 1, 2)).toBe(3);
      expect(await page().call('typedArrays', Float32Array.of(1, 2))).toEqual(Float32Array.of(2, 4));
    });

    it('reports what a function throws and what the page printed', async () => {
      const failure = page().call('fail');
      await expect(failure).rejects.toThrow(BrowserError);
      await expect(failure).rejects.toThrow(/^fail: .*RangeError: as asked.*console.error: on the way/s);
    });

    it('is a secure context on localhost, isolated if asked', async () => {
      const origin = page().origin;
      expect(await page().call('environment')).toEqual({ secure: true, isolated: true, origin, webgpu: true });
    });

    it('shares its storage with other tabs, not with other pages', async () => {
      await page().call('store', 'text');
      const tab = await page().openTab();
      expect(await tab.call('stored')).toBe('text');
      const browser = page().page.context().browser();
      if (browser === null) throw new Error('the page has no browser');
      await using other = await openModule<Exported>(browser, module);
      await expect(other.call('stored')).rejects.toThrow(/NotFoundError/);
    });

    it('can ask its own server', async () => {
      expect(await page().call('served', '/data')).toBe('GET /data');
    });

    it('computes on a software GPU', async () => {
      expect(await page().call('doubleOnGpu', [1, 2, 3])).toEqual([2, 4, 6]);
    });

    it('says why a module does not load', async () => {
      const browser = page().page.context().browser();
      if (browser === null) throw new Error('the page has no browser');
      const broken = openModule(browser, new URL('./testing/broken.ts', import.meta.url));
      await expect(broken).rejects.toThrow(/did not load.*TypeError: broken on purpose/s);
    });

    it('refuses modules that are for Node', async () => {
      const browser = page().page.context().browser();
      if (browser === null) throw new Error('the page has no browser');
      const forNode = openModule(browser, new URL('./testing/forNode.ts', import.meta.url));
      await expect(forNode).rejects.toThrow(/forNode.ts imports node:fs/);
    });
  },
  { isolated: true, webgpu: true, serve: (request, response) => response.end(`${request.method} ${request.url}`) },
);

describe('browserFiles', () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.unstubAllEnvs();
  });

  it('takes the browser that the environment names, and says so when it does not start', async () => {
    vi.stubEnv('SACCADE_TEST_CHROMIUM', '/no/such/browser');
    expect((await browserFiles()).executable).toBe('/no/such/browser');
    const failure = launchBrowser();
    await expect(failure).rejects.toThrow(BrowserError);
    await expect(failure).rejects.toThrow('/no/such/browser did not start');
  });

  it('says so where there is none for the platform', async () => {
    vi.stubEnv('SACCADE_TEST_CHROMIUM', '');
    vi.stubGlobal('process', { ...process, platform: 'sunos', arch: 'x64' });
    await expect(browserFiles()).rejects.toThrow(BrowserError);
    await expect(browserFiles()).rejects.toThrow(/linux x64 only, this is sunos x64/);
  });
});
