import type { AddressInfo } from 'node:net';
import { preview } from 'vite';
import { buildPage, pageFolder } from './build.node.ts';
import { ISOLATION } from './headers.node.ts';

/** Options of {@link servePage}. */
export interface ServePageOptions {
  /** Default: any that is free. */
  readonly port?: number;
  /** Default `localhost`, which browsers trust as they trust https; WebGPU needs one of the two. */
  readonly host?: string;
  /** Where the page is built. Default: `dist/page` of this package. */
  readonly folder?: string;
}

/** A page that is being served. */
export interface ServedPage {
  /** `http://localhost:41234/` */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Builds the bench's page from the sources and serves it, cross-origin isolated.
 *
 * @throws when the port is taken, or when the page does not bundle
 */
export async function servePage({
  port = 0,
  host = 'localhost',
  folder = pageFolder,
}: ServePageOptions = {}): Promise<ServedPage> {
  await buildPage(folder);
  const server = await preview({
    configFile: false,
    logLevel: 'silent',
    build: { outDir: folder },
    preview: { port, host, strictPort: true, headers: { ...ISOLATION, 'cache-control': 'no-store' } },
  });
  const { port: taken } = server.httpServer.address() as AddressInfo;
  return { url: `http://${host}:${taken}/`, close: () => server.close() };
}
