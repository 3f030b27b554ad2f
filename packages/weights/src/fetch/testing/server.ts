import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** By the requests they answer. */
const servers = new WeakMap<IncomingMessage, TestServer>();

/** A real server on localhost that remembers what it was asked. */
export class TestServer implements AsyncDisposable {
  readonly seen: Seen[] = [];
  /** Such as `http://127.0.0.1:41234`. */
  readonly origin: string;
  readonly #server: Server;
  readonly #cuts: { readonly position: number; readonly cut: () => void }[] = [];

  private constructor(server: Server) {
    this.#server = server;
    this.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(handler: Handler): Promise<TestServer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const started = new TestServer(server);
    server.on('request', (request, response) => {
      servers.set(request, started);
      started.seen.push({ method: request.method ?? '', path: request.url ?? '', headers: request.headers });
      handler(request, response);
    });
    return started;
  }

  get url(): string {
    return `${this.origin}/model.bin`;
  }

  /** The first byte that each request asked for; 0 for requests without a range. */
  get starts(): number[] {
    return this.seen.map(({ headers }) => Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0));
  }

  /**
   * To be passed as `onProgress`: connections that are to be cut are cut when their bytes have arrived. When a connection
   * breaks, a stream loses what nobody has read yet, so that cutting at once would lose some number of bytes or other.
   */
  readonly delivered = ({ received }: { readonly received: number }): void => {
    while (this.#cuts[0] !== undefined && received >= this.#cuts[0].position) this.#cuts.shift()?.cut();
  };

  cutWhenDelivered(position: number, cut: () => void): void {
    this.#cuts.push({ position, cut });
  }

  cutConnections(): void {
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.cutConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** A file on a server, and what goes wrong with it. The fields may be changed between requests. */
export interface ServedFile {
  bytes: Uint8Array;
  etag?: string | undefined;
  lastModified?: string | undefined;
  /** Other headers of every answer. */
  headers?: Record<string, string>;
  /** Whether parts are given. Default true. */
  ranges?: boolean;
  /** How the next requests end; `whole` when the list is used up. */
  next?: Fault[];
  /** Called after each answer was begun. */
  after?: (file: ServedFile) => void;
}

/**
 * - `cut`: the connection breaks after so many bytes of the body, or before the answer if negative. It breaks when the
 *   server is told that they have arrived ({@link TestServer.delivered}), or `afterMs` later.
 * - `stall`: nothing more comes after so many bytes of the body, or not even an answer if negative.
 * - `status`: an answer without the file.
 * - `announce`: a Content-Length that is not true; the server closes the connection after the body.
 */
export type Fault =
  | 'whole'
  | { readonly cut: number; readonly afterMs?: number }
  | { readonly stall: number }
  | { readonly status: number; readonly retryAfter?: string }
  | { readonly announce: number };

/** A handler that gives `file` as a well-behaved server would, but for its faults. */
export function serveFile(file: ServedFile): Handler {
  return (request, response) => {
    const fault = file.next?.shift() ?? 'whole';
    if (typeof fault === 'object') {
      if ('status' in fault) {
        response.writeHead(fault.status, fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter });
        return response.end();
      }
      if ('cut' in fault && fault.cut < 0) return request.socket.destroy();
      if ('stall' in fault && fault.stall < 0) return undefined;
    }
    const { bytes, etag, lastModified } = file;
    const start = rangeStart(request, file);
    const headers: Record<string, string | number> = { 'content-type': 'application/octet-stream', ...file.headers };
    if (etag) headers.etag = etag;
    if (lastModified) headers['last-modified'] = lastModified;
    if (start !== undefined && start >= bytes.length) {
      return response.writeHead(416, { ...headers, 'content-range': `bytes */${bytes.length}` }).end();
    }
    const body = bytes.subarray(start ?? 0);
    headers['content-length'] = typeof fault === 'object' && 'announce' in fault ? fault.announce : body.length;
    if (start !== undefined) headers['content-range'] = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
    response.strictContentLength = false;
    response.writeHead(start === undefined ? 200 : 206, headers);
    file.after?.(file);
    if (fault === 'whole' || 'status' in fault) return response.end(body);
    response.flushHeaders();
    if ('stall' in fault) return response.write(body.subarray(0, fault.stall));
    const sent = 'cut' in fault ? body.subarray(0, fault.cut) : body;
    response.write(sent);
    const cut = () => request.socket.destroySoon();
    if (sent.length === 0) return cut();
    if ('cut' in fault && fault.afterMs !== undefined) return setTimeout(cut, fault.afterMs);
    return servers.get(request)?.cutWhenDelivered((start ?? 0) + sent.length, cut);
  };
}

/** Where the part begins that the request asks for and may have; undefined for the whole file. */
function rangeStart({ headers }: IncomingMessage, { etag, lastModified, ranges = true }: ServedFile) {
  const start = /^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1];
  const condition = headers['if-range'];
  const valid = condition === undefined || condition === etag || condition === lastModified;
  return ranges && valid && start !== undefined ? Number(start) : undefined;
}

/** Bytes that differ at every place, so that mixed-up pieces show. */
export function pattern(length: number, seed = 0): Uint8Array<ArrayBuffer> {
  let state = seed + 1;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}
