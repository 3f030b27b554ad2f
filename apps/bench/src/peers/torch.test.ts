import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ownProgram } from '../external/lineProcess.node.ts';
import { TorchProcess } from './TorchProcess.node.ts';
import { torchPeer } from './torch.node.ts';
import { findTorchPython } from './torchPython.node.ts';

const TASK = { kind: 'matMul', sizes: [1, 2, 1], a: Float32Array.of(1, 2), b: Float32Array.of(3, 4) } as const;
const OPTIONS = { name: 'PyTorch, 1 thread', threads: 1 };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saccade-torch-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A program that stands in for Python. */
async function program(name: string, script: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

describe.skipIf(process.platform === 'win32')('a PyTorch that fails', () => {
  it('is ended when it hangs', async () => {
    const peer = torchPeer(
      { program: await program('hang', 'exec sleep 60'), version: '2' },
      { ...OPTIONS, patienceMs: 300 },
    );
    expect(await peer.prepare(TASK)).toEqual({
      name: 'PyTorch, 1 thread',
      reason: 'PyTorch did not answer "matMul" in 0.3 s, and was ended',
    });
    await peer.dispose();
  });

  it('is absent with its last words when it dies', async () => {
    const peer = torchPeer({ program: await program('die', 'echo no memory left >&2; exit 3'), version: '2' }, OPTIONS);
    expect(await peer.prepare(TASK)).toMatchObject({
      reason: expect.stringMatching(/die ended \(3\): no memory left$/),
    });
    await peer.dispose();
  });

  it('is absent when it is not there', async () => {
    const peer = torchPeer({ program: join(folder, 'nothing'), version: '2' }, OPTIONS);
    expect(await peer.prepare(TASK)).toMatchObject({ reason: expect.stringContaining('does not start') });
    await peer.dispose();
  });

  it('is skipped where the scores would not fit into the memory', async () => {
    const peer = torchPeer({ program: 'never started', version: '1.13.0' }, OPTIONS);
    const none = new Float32Array();
    const task = { kind: 'attention', shape: [64, 16, 100_000, 1], q: none, k: none, v: none } as const;
    expect(await peer.prepare(task)).toMatchObject({
      status: 'skipped',
      reason: expect.stringMatching(/GiB are free/),
    });
  });

  it('says which Pythons were asked where none has it', async () => {
    const without = await program('without', 'exit 1');
    await expect(findTorchPython([without, 'no-such-python'])).rejects.toThrow(
      /without, no-such-python .*SACCADE_PYTHON/,
    );
  });
});

const python = await findTorchPython().catch((error: Error) => error);
if (python instanceof Error) console.warn(`SKIPPED: PyTorch in a process of its own: ${python.message}`);

describe.skipIf(python instanceof Error)('PyTorch in a process of its own', () => {
  const { program: found, version } = python as Exclude<typeof python, Error>;

  it('starts anew after it died', async () => {
    const flag = join(folder, 'died');
    const once = await program('once', `if [ -e '${flag}' ]; then exec '${found}' "$@"; fi; touch '${flag}'; exit 3`);
    const peer = torchPeer({ program: once, version }, OPTIONS);
    expect(await peer.prepare(TASK)).toMatchObject({ reason: expect.stringContaining('ended (3)') });
    const work = await peer.prepare(TASK);
    expect('reason' in work ? work.reason : await work.result()).toEqual(Float32Array.of(11));
    await peer.dispose();
  });

  it('refuses what is no work of its own, and goes on', async () => {
    const torch = await TorchProcess.start({ program: found, threads: 1, patienceMs: 60_000 });
    const a = await torch.writeNumbers(Float32Array.of(1, 2));
    const ask = (request: object) => torch.ask({ do: 'matMul', sizes: [1, 2, 1], files: [a, a], ...request });
    await expect(ask({ do: 'exec' })).rejects.toThrow(/^ValueError: do: expected one of attention/);
    await expect(ask({ files: ['../escape', a] })).rejects.toThrow(/^ValueError: expected the name of a file/);
    await expect(ask({ sizes: [1, 3, 1] })).rejects.toThrow(/has 8 bytes, \[1, 3\] needs 12/);
    await expect(ask({ sizes: [2 ** 20, 2 ** 20, 1] })).rejects.toThrow(/^ValueError: shape: /);
    await expect(ask({ sizes: [-1, -2, 1] })).rejects.toThrow(/^ValueError: shape: /);
    await expect(ask({ do: 'run', work: 7 })).rejects.toThrow(/^KeyError/);
    expect(torch.ended).toBeUndefined();
    await torch.close();
    expect(await exists(torch.folder)).toBe(false);
    await expect(ask({})).rejects.toThrow(/ended/);
  });

  it('loads no weights that hold more than tensors', async () => {
    const torch = await TorchProcess.start({ program: found, threads: 1, patienceMs: 60_000 });
    const plan = { kind: 'resnet', channels: 3, width: 1, depths: [], classes: 1 };
    // Python's pickle of os.system, protocol 0.
    const weights = await torch.write(new TextEncoder().encode("cos\nsystem\n(S'true'\ntR."));
    const loading = torch.ask({ do: 'network', plan, weights, input: weights, shape: [1] });
    await expect(loading).rejects.toThrow(/Unpickling|Unsupported|weights_only/i);
    await torch.close();
  });

  it('ends, and its folder with it, when whoever started it is killed', async () => {
    const { program: node, args, cwd } = ownProgram(new URL('./testing/holdTorch.program.ts', import.meta.url), found);
    const child = spawn(node, args, { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
    let said = '';
    for await (const text of child.stdout.setEncoding('utf8')) {
      said += text;
      if (said.split('\n').length > 2) break;
    }
    const held = JSON.parse(said.split('\n')[1] as string) as string;
    expect(await exists(held)).toBe(true);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await vi.waitFor(async () => expect(await exists(held)).toBe(false), { timeout: 20_000, interval: 50 });
  });
});
