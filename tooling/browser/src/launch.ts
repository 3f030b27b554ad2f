import { type Browser, chromium } from 'playwright-core';
import { BrowserError, browserFiles } from './chromium.ts';

/** Options of {@link launchBrowser}. */
export interface LaunchOptions {
  /** `navigator.gpu` on a software driver: right results, speed that says nothing. Default false. */
  readonly webgpu?: boolean | undefined;
  /** More switches for the command line of Chromium. */
  readonly args?: readonly string[] | undefined;
}

/**
 * Starts a headless Chromium (see {@link browserFiles} for which), in about a quarter of a second.
 *
 * @returns Playwright's browser; whoever starts it closes it
 * @throws {BrowserError} when there is none, or when it does not start
 */
export async function launchBrowser({ webgpu = false, args = [] }: LaunchOptions = {}): Promise<Browser> {
  const { executable, environment } = await browserFiles();
  try {
    return await chromium.launch({
      executablePath: executable,
      env: { ...definedIn(process.env), ...environment },
      // Its sandbox needs rights that containers seldom have. The pages are our own.
      chromiumSandbox: false,
      args: [...(webgpu ? ['--enable-unsafe-webgpu'] : []), ...args],
    });
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new BrowserError(
      `${executable} did not start: ${message}\nSet SACCADE_TEST_CHROMIUM to the path of another Chromium.`,
      { cause },
    );
  }
}

function definedIn(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter((entry): entry is [string, string] => entry[1] != null));
}
