import {
  createVisionTransformer,
  type VisionTransformer,
  type VisionTransformerConfig,
  visionTransformerCost,
} from '@saccade/backbones';
import { Module } from '@saccade/nn';
import { kernelMode } from '@saccade/tensor-ops';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Comparison, NetworkTask, Peer } from '../../core/comparison.ts';
import { MEASURE, measureComparison } from '../../core/measure.ts';
import { createBench } from '../../device/createBench.ts';
import { familyComparison } from './familyComparison.ts';
import type { Network, NetworkModel } from './network.ts';
import { peersComparison } from './peersComparison.ts';
import { stockDeit } from './stockNetworks.ts';

const CONFIG: VisionTransformerConfig = {
  gridRank: 2,
  inputSize: [8, 12],
  patch: { kernel: [4, 4] },
  dim: 64,
  depth: 1,
  pooling: 'token',
  numClasses: 5,
};

const tiny = (name: string, change: Partial<Network> = {}): Network => ({
  name,
  input: [8, 12],
  cost: visionTransformerCost(CONFIG),
  classes: 5,
  build: () => createVisionTransformer(CONFIG),
  ...change,
});

/** A network with a broken kernel: with `explicit` operations it is another one. */
class Broken extends Module {
  readonly #inner: VisionTransformer;

  constructor() {
    super();
    this.#inner = this.child('inner', createVisionTransformer(CONFIG));
  }

  forward(x: tf.Tensor): tf.Tensor2D {
    return tf.mul(this.#inner.forward(x), kernelMode() === 'explicit' ? 1 : 1.01);
  }
}

beforeAll(async () => {
  await tf.setBackend('cpu');
});

async function rowsOf(comparison: Comparison, peers: readonly Peer[] = []) {
  const absentPeers = [{ name: 'somebody', reason: 'not installed' }];
  const bench = await createBench({
    home: 'node',
    backend: 'cpu',
    softwareGpu: false,
    scale: 'quick',
    peers,
    absentPeers,
  });
  const options = { ...MEASURE.quick, samples: 2, mostSamples: 2, shortestSampleMs: 0.1 };
  const before = tf.memory().numTensors;
  const rows = await measureComparison(comparison, { bench, options });
  expect(tf.memory().numTensors).toBe(before);
  return new Map(rows.map((row) => [row.contender, row]));
}

describe('a family', () => {
  it.each(['forward', 'step'] as const)(
    'has a time for every right network, and none for a wrong one: %s',
    async (direction) => {
      const networks = [
        tiny('plain'),
        tiny('twin'),
        tiny('broken', { build: (): NetworkModel => new Broken() }),
      ] as const;
      const rows = await rowsOf(familyComparison({ id: 'tests/tiny', direction, networks }));
      expect(rows.get('plain')).toMatchObject({ status: 'measured', timeRatio: { value: 1 } });
      expect(rows.get('twin')).toMatchObject({
        status: 'measured',
        baseline: 'plain',
        comparison: `tests/tiny/${direction}`,
      });
      expect(rows.get('twin')?.cost?.macs).toBe((direction === 'step' ? 3 : 1) * visionTransformerCost(CONFIG).macs);
      expect(rows.get('broken')).toMatchObject({ status: 'wrong', reason: expect.stringMatching(/explicit path/) });
      expect(rows.get('broken')?.wallMs).toBeUndefined();
    },
  );

  it('a network that cannot be built takes nothing with it', async () => {
    const before = tf.memory().numTensors;
    const impossible = tiny('impossible', { build: () => createVisionTransformer({ ...CONFIG, dim: 63 }) });
    const comparison = familyComparison({ id: 'tests/x', direction: 'forward', networks: [tiny('plain'), impossible] });
    await expect(rowsOf(comparison)).rejects.toThrow(/headDim/);
    expect(tf.memory().numTensors).toBe(before);
  });
});

/** A peer that has our own model, a little off or not. */
function ownPeer(name: string, offset: number): Peer {
  return {
    name,
    async prepare(task) {
      const { input, inputShape, weights } = task as NetworkTask;
      const state = new Map(
        [...(await weights())].map(([key, weight]) => [key, { dtype: 'float32' as const, ...weight }]),
      );
      const logits = async () => {
        const model = createVisionTransformer({ ...CONFIG, seed: 5 });
        model.loadStateDict(state);
        const values = tf.tidy(() =>
          model.eval().forward(tf.transpose(tf.tensor(input, [...inputShape]), [0, 2, 3, 1])),
        );
        const numbers = (await values.data()) as Float32Array;
        tf.dispose(values);
        model.dispose();
        return numbers.map((value) => value * (1 + offset));
      };
      return { engine: `${name} 1.0`, run: async () => void (await logits()), result: logits, dispose() {} };
    },
    dispose() {},
  };
}

describe('a network beside its peers', () => {
  const comparison = peersComparison({ id: 'tests/vit', model: 'tiny', network: tiny('tiny'), stock: stockDeit });

  it('ours, stock operations and peers that are right have times, the others reasons', async () => {
    const rows = await rowsOf(comparison, [ownPeer('right', 0), ownPeer('wrong', 1e-3)]);
    for (const name of ['saccade', 'tfjs ops', 'right']) expect(rows.get(name)?.status, name).toBe('measured');
    expect(rows.get('right')).toMatchObject({ role: 'peer', engine: 'right 1.0', baseline: 'saccade' });
    expect(rows.get('saccade')?.uploadBytes).toBe(4 * visionTransformerCost(CONFIG).params);
    expect(rows.get('wrong')).toMatchObject({ status: 'wrong', check: { against: 'our explicit path' } });
    expect(rows.get('somebody')).toMatchObject({ status: 'absent', reason: 'not installed' });
  });

  it('onnxruntime-web is the baseline where it takes part', async () => {
    const rows = await rowsOf(comparison, [ownPeer('onnxruntime-web, wasm, 1 thread', 0)]);
    expect(rows.get('saccade')?.baseline).toBe('onnxruntime-web, wasm, 1 thread');
  });
});
