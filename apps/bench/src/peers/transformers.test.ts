import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { questions } from './testing/peerQuestions.ts';
import { transformersPeer } from './transformers.node.ts';

const PLACE = { home: 'node', backend: 'wasm', softwareGpu: false, scale: 'quick' } as const;

/** Stands in for the package: its logits are what it was asked to load. */
const PACKAGE = `
const { readFileSync } = require('node:fs');
const { join } = require('node:path');
exports.env = {};
exports.Tensor = class {
  constructor(type, data, dims) { Object.assign(this, { type, data, dims }); }
};
exports.AutoModelForImageClassification = {
  async from_pretrained(name, options) {
    const folder = join(exports.env.localModelPath, name);
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8'));
    const bytes = readFileSync(join(folder, 'onnx', 'model.onnx')).length;
    const model = async ({ input }) => ({
      logits: { data: Float32Array.of(bytes, config.image_size, config.hidden_size, ...input.dims) },
    });
    model.sessions = { model: { inputNames: ['input'] } };
    model.dispose = async () => {};
    require('node:fs').writeFileSync(join(__dirname, 'seen.json'), JSON.stringify({ env: exports.env, config, options }));
    return model;
  },
};
`;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saccade-transformers-test-'));
  const own = join(folder, 'node_modules', '@huggingface', 'transformers');
  await mkdir(join(own, 'dist'), { recursive: true });
  await writeFile(join(own, 'package.json'), JSON.stringify({ version: '4.3.1', main: './dist/index.cjs' }));
  await writeFile(join(own, 'dist', 'index.cjs'), PACKAGE);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

describe('transformersPeer', () => {
  it('is given the network in the layout of the hub, and nothing from the net', async () => {
    vi.stubEnv('SACCADE_TRANSFORMERS', folder);
    const peer = await transformersPeer(PLACE);
    if (peer === undefined || !('prepare' in peer)) expect.fail(`absent: ${peer?.reason}`);
    expect(peer.library).toEqual(['@huggingface/transformers', '4.3.1']);
    const [question] = await questions('vit');
    if (question?.task.kind !== 'network') expect.fail('no network');
    const work = await peer.prepare(question.task);
    if ('reason' in work) expect.fail(work.reason);
    const { length } = await question.task.onnx();
    expect(await work.result()).toEqual(Float32Array.of(length, 12, 128, 2, 3, 12, 16));
    const own = join(folder, 'node_modules', '@huggingface', 'transformers', 'dist', 'seen.json');
    const seen = JSON.parse(await readFile(own, 'utf8'));
    expect(seen).toMatchObject({
      env: { allowRemoteModels: false },
      config: { model_type: 'vit', num_attention_heads: 2, num_hidden_layers: 2, intermediate_size: 256 },
      options: { session_options: { intraOpNumThreads: 1 } },
    });
    expect(Object.keys(seen.config.id2label)).toHaveLength(5);
    await work.dispose();
    await expect(readFile(join(seen.env.localModelPath, 'model', 'config.json'))).rejects.toThrow(/ENOENT/);
    await peer.dispose();
  });

  it('says how to install it where it is not, and is not expected on a GPU', async () => {
    vi.stubEnv('SACCADE_TRANSFORMERS', join(folder, 'nothing'));
    const peer = await transformersPeer(PLACE);
    if (peer !== undefined && 'prepare' in peer) return expect(peer.library[0]).toBe('@huggingface/transformers');
    expect(peer?.reason).toMatch(/npm i @huggingface\/transformers/);
    expect(await transformersPeer({ ...PLACE, backend: 'webgpu' })).toBeUndefined();
  });
});
