import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256Of } from '../testing/fetching.ts';
import { FetchingProcess } from '../testing/process.ts';
import { type Handler, pattern, serveFile, TestServer } from '../testing/server.ts';

const BYTES = pattern(3_000_000);
const SHA256 = sha256Of(BYTES);

let directory: string;
let processes: FetchingProcess[];
let server: TestServer;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weights-'));
  processes = [];
});

afterEach(async () => {
  for (const process of processes) process.signal('SIGKILL');
  await server.close();
  await rm(directory, { recursive: true });
});

function start(): FetchingProcess {
  const process = new FetchingProcess(server.url, directory);
  processes.push(process);
  return process;
}

async function serve(handler: Handler): Promise<void> {
  server = await TestServer.start(handler);
}

const expectTidy = async () => {
  expect(await readdir(join(directory, 'partial'))).toEqual([]);
  expect(await readdir(join(directory, 'files'))).toEqual([SHA256]);
  expect(sha256Of(await readFile(join(directory, 'files', SHA256)))).toBe(SHA256);
};

describe('processes', () => {
  it('that want the same file share one download, and see its progress', async () => {
    let finish: () => void = () => undefined;
    await serve((_, response) => {
      response.writeHead(200, { 'content-length': BYTES.length, etag: '"v1"' });
      response.write(BYTES.subarray(0, 1_000_000));
      finish = () => response.end(BYTES.subarray(1_000_000));
    });
    const all = [start(), start(), start()];
    const waiting = () =>
      all.filter(({ progress }) => progress.some((step) => step.waiting && step.received === 1_000_000));
    await expect.poll(() => waiting().length, { timeout: 20_000 }).toBe(2);
    finish();
    const results = await Promise.all(all.map(({ outcome }) => outcome));
    expect(results.map(({ sha256 }) => sha256)).toEqual([SHA256, SHA256, SHA256]);
    expect(results.map(({ fromCache }) => fromCache).sort()).toEqual([false, true, true]);
    expect(waiting()[0]?.progress).toContainEqual({
      received: 1_000_000,
      total: BYTES.length,
      resumedFrom: 0,
      waiting: true,
    });
    expect(server.seen).toHaveLength(1);
    await expectTidy();
  });

  it('take up what one left that was killed', async () => {
    await serve(serveFile({ bytes: BYTES, etag: '"v1"', next: [{ stall: 1_000_000 }] }));
    const victim = start();
    await expect.poll(() => victim.progress.at(-1)?.received, { timeout: 20_000 }).toBe(1_000_000);
    const heir = start();
    await expect.poll(() => heir.progress.length, { timeout: 20_000 }).toBeGreaterThan(0);
    victim.signal('SIGKILL');
    expect(await heir.outcome).toMatchObject({ sha256: SHA256, fromCache: false });
    expect(heir.progress.at(-1)).toMatchObject({ received: BYTES.length, resumedFrom: 1_000_000, waiting: false });
    expect(server.starts).toEqual([0, 1_000_000]);
    await expectTidy();
  });

  it.skipIf(process.platform === 'win32')('take the download from one that does not move', async () => {
    await serve(serveFile({ bytes: BYTES, etag: '"v1"', next: [{ stall: 1_000_000 }] }));
    const sleeper = start();
    await expect.poll(() => sleeper.progress.at(-1)?.received, { timeout: 20_000 }).toBe(1_000_000);
    sleeper.signal('SIGSTOP');
    // It may wake up at any time and go on writing: what it has is not built upon.
    expect(await start().outcome).toMatchObject({ sha256: SHA256, fromCache: false });
    expect(server.starts).toEqual([0, 0]);
    await expectTidy();
    await sleeperLoses(sleeper);
    await expectTidy();
  });

  /** Its connection ends as soon as it wakes up, which makes it look at where it stands. */
  async function sleeperLoses(sleeper: FetchingProcess): Promise<void> {
    sleeper.signal('SIGCONT');
    server.cutConnections();
    expect(await sleeper.outcome).toMatchObject({ sha256: SHA256, fromCache: true });
  }
});
