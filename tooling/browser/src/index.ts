export { BrowserError, type BrowserFiles, browserFiles } from './chromium.ts';
export { describeInBrowser } from './describeInBrowser.ts';
export { type LaunchOptions, launchBrowser } from './launch.ts';
export { ModulePage, openModule, type PageOptions } from './page.ts';
