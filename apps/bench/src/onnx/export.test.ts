import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createModel } from '@saccade/backbones';
import { openOnnx } from '@saccade/weights';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const command = fileURLToPath(new URL('./export.node.ts', import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saccade-export-'));
});
afterAll(() => rm(folder, { recursive: true }));

const run = (...words: string[]) =>
  promisify(execFile)(process.execPath, ['--import', 'tsx', '--conditions=@saccade/source', command, ...words], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
  });

describe('pnpm export', () => {
  it('writes a network of the catalogue, with the weights that the catalogue gives it', async () => {
    const path = join(folder, 'deit_ti.onnx');
    expect((await run('deit_ti', path, '--batch', '2')).stdout).toMatch(/input \[2, 3, 224, 224\], 21\.\d MiB/);
    const file = await openOnnx(await readFile(path));
    await tf.setBackend('cpu');
    const state = await createModel('deit_ti').stateDict();
    for (const name of ['pos_embed', 'blocks.11.attn.qkv.weight', 'head.bias']) {
      expect(await file.get(name)).toEqual(state.get(name));
    }
  });

  it('says what it cannot write, and writes nothing', async () => {
    const path = join(folder, 'uniformer.onnx');
    await expect(run('uniformer_s', path)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Unsupported: /),
    });
    await expect(run('deit', path)).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/listModels/) });
    await expect(readFile(path)).rejects.toThrow(/ENOENT/);
  });
});
