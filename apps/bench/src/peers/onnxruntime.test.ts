import { describeInBrowser } from '@saccade/browser';
import { describe, expect, it } from 'vitest';
import type { PeerTask } from '../core/comparison.ts';
import { absentPackage } from './onnxPeer.ts';
import { onnxruntimeNodeAllCores, onnxruntimeNodeSingle } from './onnxruntimeNode.node.ts';
import { onnxruntimeWebGpu, onnxruntimeWebWasm } from './onnxruntimeWeb.ts';
import { describePeer } from './testing/peerContract.ts';
import { TASK_KINDS } from './testing/peerQuestions.ts';

const PLACE = { home: 'node', backend: 'wasm', softwareGpu: false, scale: 'full' } as const;

describePeer('onnxruntime-node in one thread', await onnxruntimeNodeSingle(PLACE));
describePeer('onnxruntime-node with all cores', await onnxruntimeNodeAllCores(PLACE));
describePeer('onnxruntime-web on wasm', await onnxruntimeWebWasm(PLACE));

type Exported = typeof import('./testing/onnxruntimePage.ts');
await describeInBrowser<Exported>(
  'onnxruntime-web',
  new URL('./testing/onnxruntimePage.ts', import.meta.url),
  (page) => {
    // On a software driver a network takes long: one of them is enough.
    const asked = [
      ...TASK_KINDS.map((kind) => ['wasm', kind] as const),
      ['webgpu', 'attention'],
      ['webgpu', 'vit'],
    ] as const;
    it.each(asked)('computes on %s: %s', async (backend, kind) => {
      const answers = await page().call('answers', backend, kind);
      expect(answers.length).toBeGreaterThan(0);
      for (const { engine, check } of answers) {
        expect(engine).toMatch(new RegExp(`^onnxruntime-web \\d+\\.\\d+.*, ${backend}`));
        expect(check.error).toBeLessThanOrEqual(check.tolerance);
      }
    });
  },
  { webgpu: true },
);

describe('where they are expected', () => {
  it('processors beside wasm, GPUs beside webgpu', async () => {
    const gpu = { ...PLACE, backend: 'webgpu' } as const;
    expect(await onnxruntimeWebWasm(gpu)).toBeUndefined();
    expect(await onnxruntimeNodeSingle(gpu)).toBeUndefined();
    expect(await onnxruntimeNodeAllCores(gpu)).toBeUndefined();
    expect(await onnxruntimeWebGpu(PLACE)).toBeUndefined();
  });

  it('the GPU build says why it does not run in Node, or on a software driver', async () => {
    const gpu = { ...PLACE, backend: 'webgpu' } as const;
    expect(await onnxruntimeWebGpu(gpu)).toMatchObject({ reason: expect.stringMatching(/needs a browser/) });
    const software = { ...gpu, home: 'browser', softwareGpu: true } as const;
    expect(await onnxruntimeWebGpu(software)).toMatchObject({
      status: 'skipped',
      reason: expect.stringMatching(/software/),
    });
  });

  it('a package that is not installed is absent with advice', async () => {
    const missing = await import('no-such-package' as string).catch((error: unknown) => error);
    expect(absentPackage('a peer', 'no-such-package', missing)).toEqual({
      name: 'a peer',
      reason: 'not installed: npm i no-such-package',
    });
    const broken = new Error('libfoo.so: cannot open shared object file');
    expect(absentPackage('a peer', 'broken', broken).reason).toMatch(/^broken does not load: libfoo\.so/);
  });
});

describe('a file that is no network', () => {
  it('makes the peer absent for this comparison, with what the runtime says', async () => {
    const peer = await onnxruntimeWebWasm(PLACE);
    if (peer === undefined || 'reason' in peer) return;
    const task: PeerTask = {
      kind: 'network',
      model: 'none',
      input: new Float32Array(3),
      inputShape: [1, 3, 1, 1],
      onnx: async () => Uint8Array.of(1, 2, 3),
      weights: async () => new Map(),
    };
    const work = await peer.prepare(task);
    expect(work).toMatchObject({ name: 'onnxruntime-web, wasm, 1 thread', reason: expect.stringMatching(/\w+/) });
  });
});
