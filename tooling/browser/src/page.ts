import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { type Bundle, bundle, EXPORTS } from './bundle.ts';
import { BrowserError } from './chromium.ts';

type Callable<M> = { [K in keyof M]: M[K] extends (...args: never[]) => unknown ? K : never }[keyof M] & string;
type Arguments<F> = F extends (...args: infer A) => unknown ? A : never;
type Result<F> = F extends (...args: never[]) => infer R ? Awaited<R> : never;

/** Milliseconds. */
const LONGEST_LOAD = 30_000;

/** Options of {@link openModule}. */
export interface PageOptions {
  /** Answers what is not part of the bundle: test data, a server that misbehaves. Default: 404. */
  readonly serve?: RequestListener | undefined;
  /** Cross-origin isolation, which gives the page SharedArrayBuffer and with it threads. Default false. */
  readonly isolated?: boolean | undefined;
}

/**
 * A page that has loaded a module, and its functions as if they were here. It is a secure context (localhost) with a
 * storage of its own, empty at first and gone at the end.
 */
export class ModulePage<M> implements AsyncDisposable {
  /** Where it was served from, such as `http://localhost:41234`. */
  readonly origin: string;
  /** Playwright's page, for screenshots, clicks and the like. */
  readonly page: Page;
  readonly #server: Server;
  readonly #complaints: readonly string[];

  constructor(origin: string, page: Page, server: Server, complaints: readonly string[]) {
    this.origin = origin;
    this.page = page;
    this.#server = server;
    this.#complaints = complaints;
  }

  /**
   * Calls a function that the module exports, in the page. Arguments and result travel as structured data: numbers,
   * strings, arrays, plain objects, typed arrays.
   *
   * @throws {BrowserError} with what the function threw and what the page printed as an error
   */
  async call<K extends Callable<M>>(name: K, ...args: Arguments<M[K]>): Promise<Result<M[K]>> {
    try {
      return (await this.page.evaluate(
        ({ exports, name, args }) => {
          const exported = Reflect.get(globalThis, exports) as Record<string, (...args: unknown[]) => unknown>;
          return exported[name]?.(...args);
        },
        { exports: EXPORTS, name: name as string, args: args as unknown[] },
      )) as Result<M[K]>;
    } catch (cause) {
      throw new BrowserError([`${name}: ${(cause as Error).message}`, ...this.#complaints].join('\n'), { cause });
    }
  }

  /** Another tab of the same browser at the same address: same storage, another instance of the module. */
  async openTab(): Promise<ModulePage<M>> {
    return await load(this.page.context(), this.origin, this.#server);
  }

  /** Closes all tabs and the server. */
  async close(): Promise<void> {
    await this.page.context().close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Bundles a module, serves it on localhost and loads it in a page.
 *
 * ```ts
 * const page = await openModule<typeof import('./testing/page.ts')>(browser, new URL('./testing/page.ts', import.meta.url));
 * expect(await page.call('add', 1, 2)).toBe(3);
 * await page.close();
 * ```
 *
 * @throws {BrowserError} when the module throws while it loads
 */
export async function openModule<M>(browser: Browser, module: URL, options: PageOptions = {}): Promise<ModulePage<M>> {
  const server = createServer(listener(await bundle(module), options));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, 'localhost', resolve);
  });
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const context = await browser.newContext();
  try {
    return await load(context, origin, server);
  } catch (error) {
    await context.close();
    server.close();
    throw error;
  }
}

async function load<M>(context: BrowserContext, origin: string, server: Server): Promise<ModulePage<M>> {
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(`error in the page: ${error.stack ?? error.message}`));
  page.on('console', (message) => message.type() === 'error' && complaints.push(`console.error: ${message.text()}`));
  page.on('crash', () => complaints.push('the page crashed'));
  const failure = new Promise<undefined>((resolve) => page.once('pageerror', () => resolve(undefined)));
  await page.goto(origin);
  // Modules may wait for something at their top level, so the end of loading says nothing.
  const loaded = page.waitForFunction((exports) => Reflect.has(globalThis, exports), EXPORTS, {
    timeout: LONGEST_LOAD,
  });
  const outcome = await Promise.race([loaded, failure]).catch(() => undefined);
  if (outcome === undefined) throw new BrowserError(['the module did not load', ...complaints].join('\n'));
  return new ModulePage<M>(origin, page, server, complaints);
}

const TYPES: Readonly<Record<string, string>> = {
  '': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};

function listener(files: Bundle, { serve, isolated = false }: PageOptions): RequestListener {
  return (request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname.slice(1);
    const file = files.get(path);
    if (isolated) {
      response.setHeader('cross-origin-opener-policy', 'same-origin');
      response.setHeader('cross-origin-embedder-policy', 'require-corp');
    }
    if (file !== undefined) {
      const type = TYPES[extname(path)] ?? 'application/octet-stream';
      response.writeHead(200, { 'content-type': type, 'cache-control': 'no-store' }).end(file);
    } else if (serve && path !== 'favicon.ico') serve(request, response);
    else response.writeHead(path === 'favicon.ico' ? 204 : 404).end();
  };
}
