import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serializeSafetensors } from '@saccade/weights';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Folder, floats, saccade } from '../testing/cli.ts';

const files = new Map<string, Uint8Array>();
let server: Server;
let origin: string;
let cache: Folder;

beforeAll(async () => {
  server = createServer(({ url = '' }, response) => {
    const file = files.get(url);
    const headers = { 'content-length': file?.byteLength ?? 0, connection: 'close' };
    response.writeHead(file ? 200 : 404, headers).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => server.close());

beforeEach(async () => {
  cache = await Folder.make();
  vi.stubEnv('SACCADE_CACHE', cache.path);
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await cache[Symbol.asyncDispose]();
  files.clear();
});

describe('saccade weights, of a URL', () => {
  it('fetches it once, and keeps it in the cache', async () => {
    files.set('/a.safetensors', serializeSafetensors({ a: floats(1, 2) }));
    const inspect = () => saccade(['weights', 'inspect', `${origin}/a.safetensors`]);
    expect(await inspect()).toMatchObject({ code: 0, out: expect.stringContaining('| a    | float32 | [2]') });
    files.clear();
    expect((await inspect()).code).toBe(0);
    const missing = await saccade(['weights', 'verify', `${origin}/b.safetensors`]);
    expect(missing).toMatchObject({ code: 1, err: expect.stringContaining('404') });
  });

  it('finds shards beside it', async () => {
    const index = { metadata: {}, weight_map: { a: 'one.safetensors', b: 'two.safetensors' } };
    files.set('/m/model.safetensors.index.json', new TextEncoder().encode(JSON.stringify(index)));
    files.set('/m/one.safetensors', serializeSafetensors({ a: floats(1) }));
    files.set('/m/two.safetensors', serializeSafetensors({ b: floats(2, 3) }));
    const { code, out } = await saccade(['weights', 'verify', `${origin}/m/model.safetensors.index.json`]);
    expect(code).toBe(0);
    expect(out).toContain('2 tensors');
  });
});
