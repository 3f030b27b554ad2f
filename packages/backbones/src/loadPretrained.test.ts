import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Module } from '@saccade/nn';
import { ConfigError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import {
  addPrefix,
  applyKeyMap,
  FetchWeightsError,
  memoryCache,
  type StateTensor,
  serializeTorch,
} from '@saccade/weights';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Checkpoint,
  checkpoint,
  createModel,
  fetchCheckpoint,
  LoadWeightsError,
  loadPretrained,
  toTsmKeys,
} from './index.ts';
import { stir } from './testing/tiny.ts';

/** Paths that were asked for, and what lies there. */
const requests: string[] = [];
const files = new Map<string, Uint8Array>();
let server: Server;
let origin: string;

beforeAll(async () => {
  await setupBackend('cpu');
  server = createServer(({ url = '' }, response) => {
    requests.push(url);
    const file = files.get(url);
    // Kept connections may end just when the next request is sent.
    const headers = { 'content-length': file?.byteLength ?? 0, connection: 'close' };
    response.writeHead(file ? 200 : 404, headers).end(file);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => server.close());

beforeEach(() => {
  requests.length = 0;
  files.clear();
});

type State = Map<string, StateTensor>;

async function stateOf(model: Module): Promise<State> {
  stir(model);
  return (await model.stateDict()) as State;
}

/** A small TSM in the layout of MIT's files. */
async function tsmFile() {
  using source = createModel('tsm_resnet_pico', { seed: 1 });
  const state = await stateOf(source);
  const bytes = serializeTorch(applyKeyMap(toTsmKeys(source.config), state).state);
  files.set('/tsm.pth', bytes);
  return { state, sha256: createHash('sha256').update(bytes).digest('hex') };
}

const entry = (change: Partial<Checkpoint> = {}): Checkpoint => ({
  ...checkpoint('tsm_resnet50'),
  name: 'tsm_resnet_pico.test',
  model: 'tsm_resnet_pico',
  reference: `${origin}/tsm.pth`,
  numClasses: 16,
  notes: [],
  ...change,
});

const options = () => ({ fetchOptions: { cache: memoryCache(), retries: 0 } });

describe('loadPretrained', () => {
  it('fetches, builds and loads, and finds the file in the cache the next time', async () => {
    const { state } = await tsmFile();
    const cached = options();
    const first = await loadPretrained(entry(), cached);
    expect(first.report).toMatchObject({ layout: 'tsm', map: 'tsm', missing: [], unexpected: [] });
    expect(await first.model.stateDict()).toEqual(state);
    await loadPretrained(entry(), cached);
    expect(requests).toEqual(['/tsm.pth']);
  });

  it('reads hf: references through any endpoint', async () => {
    using source = createModel('uniformer_pico_video', { seed: 1 });
    const state = await stateOf(source);
    files.set(
      '/Sense-X/uniformer_video/resolve/main/small.pth',
      serializeTorch(applyKeyMap(addPrefix('module.'), state).state),
    );
    const { model } = await loadPretrained(
      entry({ model: 'uniformer_pico_video', layout: 'uniformer', reference: 'hf:Sense-X/uniformer_video/small.pth' }),
      { fetchOptions: { ...options().fetchOptions, hfEndpoint: origin } },
    );
    expect(await model.stateDict()).toEqual(state);
  });

  it('says what was not verified, without printing it', async () => {
    await tsmFile();
    const warned: string[] = [];
    const { warnings } = await loadPretrained(entry({ notes: ['A note.'] }), {
      ...options(),
      onWarning: (warning) => warned.push(warning),
    });
    expect(warned).toEqual(warnings);
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toMatch(
      /^tsm_resnet_pico\.test was never downloaded and run by Saccade: .*its hash is not known either/,
    );
    expect(warnings[1]).toBe('A note.');
    expect((await loadPretrained(entry({ verified: true }), options())).warnings).toEqual([]);
  });

  it('compares the hash, or the digits of it that are known', async () => {
    const { sha256 } = await tsmFile();
    for (const known of [sha256, sha256.slice(0, 8)]) await loadPretrained(entry({ sha256: known }), options());
    await expect(loadPretrained(entry({ sha256: '0'.repeat(64) }), options())).rejects.toMatchObject({
      code: 'HashMismatch',
    });
    const wrong = loadPretrained(entry({ sha256: '00000000' }), options());
    await expect(wrong).rejects.toThrow(LoadWeightsError);
    await expect(wrong).rejects.toThrow(/begins with 00000000, and http.* has [0-9a-f]{64}: it is another file/);
  });

  it('says when there is another file than there was', async () => {
    await tsmFile();
    const other = loadPretrained(entry({ layout: 'uniformer' }), options());
    await expect(other).rejects.toThrow(/should have names of the layout uniformer, and has those of MIT's TSM/);
    await expect(loadPretrained(entry({ reference: `${origin}/gone.pth` }), options())).rejects.toThrow(
      FetchWeightsError,
    );
    await expect(loadPretrained('tsm_resnet_50', options())).rejects.toThrow(ConfigError);
    expect(requests).toContain('/gone.pth');
  });

  it('takes another number of classes with a new classifier only, and leaves nothing behind when it fails', async () => {
    await tsmFile();
    const before = tf.memory().numTensors;
    await expect(loadPretrained(entry(), { ...options(), numClasses: 3 })).rejects.toThrow(
      /are for 16 classes .* the model has 3: pass \{ head: 'replace' \}/,
    );
    expect(tf.memory().numTensors).toBe(before);
    const { model, report } = await loadPretrained(entry(), { ...options(), numClasses: 3, head: 'replace', seed: 4 });
    expect(report.kept).toEqual(report.dropped);
    using fresh = createModel('tsm_resnet_pico', { numClasses: 3, seed: 4 });
    const kept = report.kept[0] as string;
    expect((await model.stateDict()).get(kept)).toEqual((await fresh.stateDict()).get(kept));
    model.dispose();
  });

  it('stops when told to', async () => {
    await tsmFile();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(loadPretrained(entry(), { ...options(), signal })).rejects.toThrow('enough');
    expect(requests).toEqual([]);
  });
});

describe('fetchCheckpoint', () => {
  it('gives the file, for a model of your own', async () => {
    const { state } = await tsmFile();
    const file = await fetchCheckpoint(entry(), options());
    expect(file.format).toBe('torch');
    expect(file.names).toHaveLength(state.size);
  });
});
