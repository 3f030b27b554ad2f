import { describeInBrowser } from '@saccade/browser';
import { describe, expect, it } from 'vitest';
import { compareValues } from '../core/check.ts';
import type { Bench, Peer } from '../core/comparison.ts';
import { MEASURE, measureComparison } from '../core/measure.ts';
import { askPeers } from '../suites/support/peers.ts';
import { detectPeers } from './index.node.ts';
import { jaxPeer } from './jax.ts';
import { onnxruntimeNodeSingle } from './onnxruntimeNode.node.ts';
import { onnxruntimeWebWasm } from './onnxruntimeWeb.ts';
import { describePeer } from './testing/peerContract.ts';
import { TASK_KINDS } from './testing/peerQuestions.ts';
import { torchAllCores, torchSingle } from './torch.node.ts';
import { transformersPeer } from './transformers.node.ts';

const PLACE = { home: 'node', backend: 'wasm', softwareGpu: false, scale: 'full' } as const;

describePeer('onnxruntime-node', await onnxruntimeNodeSingle(PLACE));
// Before jax-js: it leaves a global `Worker` behind, which must not disturb that one.
describePeer('onnxruntime-web', await onnxruntimeWebWasm(PLACE));
describePeer('PyTorch in one thread', await torchSingle(PLACE));
describePeer('PyTorch with all cores', await torchAllCores(PLACE));
describePeer('jax-js', await jaxPeer(PLACE));
describePeer('transformers.js', await transformersPeer(PLACE), ['vit']);

type Exported = typeof import('./testing/jaxPage.ts');
await describeInBrowser<Exported>('jax-js', new URL('./testing/jaxPage.ts', import.meta.url), (page) => {
  it.each(TASK_KINDS)('computes %s', async (kind) => {
    const answers = await page().call('jaxAnswers', kind);
    expect(answers.length).toBeGreaterThan(0);
    for (const { engine, check } of answers) {
      expect(engine).toMatch(/^jax-js \d+\.\d+.*, wasm, 1 thread/);
      expect(check.error).toBeLessThanOrEqual(check.tolerance);
    }
  });

  it('is among the peers of a page', async () => {
    expect(await page().call('versions')).toMatchObject({ '@jax-js/jax': expect.stringMatching(/^\d+\.\d+/) });
  });
});

describe('detectPeers', () => {
  it('names the versions of those that are there, and has a reason for each other one', async () => {
    const { peers, absent, versions } = await detectPeers(PLACE);
    expect(peers.length + absent.length).toBeGreaterThanOrEqual(6);
    expect(Object.keys(versions).length > 0).toBe(peers.length > 0);
    for (const version of Object.values(versions)) expect(version).toMatch(/^\d+\.\d+/);
    for (const { name, reason } of absent) expect(`${name}: ${reason}`).toMatch(/: .*\w+ \w+/);
    for (const peer of peers) await peer.dispose();
  });

  it.each(['cpu', 'webgl'] as const)('expects nobody on %s', async (backend) => {
    expect(await detectPeers({ ...PLACE, backend })).toEqual({ peers: [], absent: [], versions: {} });
  });

  it('leaves out peers with all cores in quick runs', async () => {
    const { peers, absent } = await detectPeers({ ...PLACE, scale: 'quick' });
    expect([...peers, ...absent].filter(({ name }) => /\d threads/.test(name))).toEqual([]);
    for (const peer of peers) await peer.dispose();
  });

  it('has a reason for everybody where the GPU is software', async () => {
    const { peers, absent } = await detectPeers({ ...PLACE, backend: 'webgpu', softwareGpu: true });
    expect(peers).toEqual([]);
    const jax = absent.find(({ name }) => name === 'jax-js');
    expect(jax).toMatchObject({ status: 'skipped', reason: expect.stringContaining('software') });
  });
});

describe('a peer that lies', () => {
  const liar: Peer = {
    name: 'liar',
    prepare: async () => ({
      engine: 'none',
      run: async () => ({ wallMs: 0.001 }),
      result: async () => Float32Array.of(1, 2, 3, 4.01),
      dispose: () => undefined,
    }),
    dispose: () => undefined,
  };

  it('gets a row that says so, and no time', async () => {
    const bench: Bench = {
      ...PLACE,
      peers: [liar],
      absentPeers: [],
      now: () => performance.now(),
      settle: async () => undefined,
      peakOf: async (action) => {
        await action();
        return { tensorBytes: 0 };
      },
    };
    const task = { kind: 'matMul', sizes: [2, 1, 2], a: Float32Array.of(1, 3), b: Float32Array.of(1, 2) } as const;
    const comparison = {
      suite: 'test',
      id: 'liar',
      parameters: {},
      prepare: (own: Bench) =>
        askPeers(own, task, {
          check: async (result) => compareValues('by hand', [result], [[1, 2, 3, 6]], 1e-4),
          cost: {},
        }),
    };
    const rows = await measureComparison(comparison, { bench, options: MEASURE.quick });
    expect(rows).toMatchObject([{ contender: 'liar', status: 'wrong', reason: expect.stringContaining('by hand') }]);
    expect(rows[0]).not.toHaveProperty('wallMs');
  });
});
