import { execFileSync } from 'node:child_process';
import { mkdtemp, open, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSafetensors } from '../safetensors/open.ts';
import { fixture } from '../testing/bytes.ts';
import { rejection } from '../testing/rejection.ts';
import { SourceError } from './errors.ts';
import { openFile } from './openFile.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saccade-source-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('openFile', () => {
  it('serves a reader of a format', async () => {
    const path = join(folder, 'model.safetensors');
    await writeFile(path, fixture('upstream_types.safetensors'));
    await using source = await openFile(path);
    const file = await openSafetensors(source);
    expect((await file.get('int32')).data).toEqual(Int32Array.of(-(2 ** 31), 2 ** 31 - 1));
  });

  it('reads beyond 4 GiB', async () => {
    const path = join(folder, 'sparse');
    const far = 5 * 2 ** 30;
    const handle = await open(path, 'w');
    await handle.write(Uint8Array.of(1, 2, 3), 0, 3, far);
    await handle.close();
    await using source = await openFile(path);
    expect(source.size).toBe(far + 3);
    expect(await source.read(far - 1, far + 3)).toEqual(Uint8Array.of(0, 1, 2, 3));
  });

  it('reads many parts at once, closes twice, and refuses to read then', async () => {
    const path = join(folder, 'many');
    await writeFile(
      path,
      Uint8Array.from({ length: 100 }, (_, i) => i),
    );
    const source = await openFile(path);
    const reads = Array.from({ length: 100 }, (_, i) => source.read(i, i + 1));
    const closing = source.close();
    expect((await Promise.all(reads)).map(([byte]) => byte)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    await closing;
    await source.close();
    expect((await rejection(source.read(0, 1), SourceError)).code).toBe('Closed');
  });

  it('notices that the file was cut or written to', async () => {
    const path = join(folder, 'changing');
    await writeFile(path, new Uint8Array(100));
    await using cut = await openFile(path);
    await truncate(path, 50);
    expect((await rejection(cut.read(40, 60), SourceError)).code).toBe('Changed');
    await using written = await openFile(path);
    await writeFile(path, new Uint8Array(50).fill(1));
    expect((await rejection(written.read(0, 10), SourceError)).code).toBe('Changed');
  });

  it('refuses what is no file, without waiting for it', async () => {
    expect((await rejection(openFile(folder), SourceError)).code).toBe('IoError');
    expect((await rejection(openFile(join(folder, 'missing')), SourceError)).message).toContain('missing');
    if (process.platform === 'win32') return;
    const pipe = join(folder, 'pipe');
    const [program, ...args] = ['mkfifo', pipe] as const;
    execFileSync(program, args);
    expect((await rejection(openFile(pipe), SourceError)).code).toBe('IoError');
  });

  it('refuses bytes outside the file', async () => {
    const path = join(folder, 'short');
    await writeFile(path, new Uint8Array(10));
    await using source = await openFile(path);
    for (const [start, end] of [
      [0, 11],
      [-1, 3],
      [5, 4],
    ] as const) {
      expect((await rejection(source.read(start, end), SourceError)).code).toBe('OutOfBounds');
    }
    expect(await source.read(10, 10)).toEqual(new Uint8Array(0));
  });
});
