import { spawn } from 'node:child_process';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Folder, floats } from './testing/cli.ts';

const BIN = fileURLToPath(new URL('bin.ts', import.meta.url));
const NODE = ['--import', 'tsx', '--conditions=@saccade/source', BIN];

/** The program as a process of its own. */
function start(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [...NODE, ...args], { env: { ...process.env, ...env } });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, out, err }));
  });
  return { child, ended };
}

describe('the program saccade', () => {
  it('converts, and ends with the code of what it found', async () => {
    await using folder = await Folder.make();
    const input = await folder.tensors('in.safetensors', { a: floats(1, 2) });
    const output = await folder.file('out.pth');
    expect(await start(['weights', 'convert', input, output]).ended).toEqual({
      code: 0,
      out: expect.stringMatching(/out\.pth: torch, 1 tensor, \d+(\.\d+)? (B|KiB)\n$/),
      err: '',
    });
    expect(await start(['weights', 'verify', output, '--sha256', '00000000']).ended).toMatchObject({ code: 1 });
  });

  it('ends with 130 at Ctrl-C, at once and with nothing half-written', async () => {
    await using folder = await Folder.make();
    // A server that begins to answer and never ends.
    let asked: (response: ServerResponse) => void = () => undefined;
    const answering = new Promise<ServerResponse>((resolve) => {
      asked = resolve;
    });
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-length': 1_000_000 }).write(new Uint8Array(1000));
      asked(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.safetensors`;
    const { child, ended } = start(['weights', 'convert', url, await folder.file('out.safetensors')], {
      SACCADE_CACHE: `${folder.path}/cache`,
    });
    const response = await answering;
    child.kill('SIGINT');
    expect(await ended).toEqual({ code: 130, out: '', err: 'saccade: interrupted; nothing was left half-written.\n' });
    response.destroy();
    server.close();
    expect(await folder.names()).toEqual(['cache']);
  });
});
