import { createResNet, createVisionTransformer, type ResNet, type VisionTransformer } from '@saccade/backbones';
import { Linear, type Module, squeezeExcitation } from '@saccade/nn';
import { structSA } from '@saccade/structsa';
import { product, Rng } from '@saccade/tensor-ops';
import { openOnnx } from '@saccade/weights';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { compareValues } from '../core/check.ts';
import type { Absent, Peer, PeerTask } from '../core/comparison.ts';
import { onnxruntimeNodeSingle } from '../peers/onnxruntimeNode.node.ts';
import { onnxruntimeWebWasm } from '../peers/onnxruntimeWeb.ts';
import { OnnxWriteError } from './errors.ts';
import { networkWeights } from './layers.ts';
import { networkGraph } from './networkGraph.ts';
import { stirred } from './testing/stirred.ts';

const VIT = {
  gridRank: 2,
  inputSize: [12, 16],
  patch: { kernel: [4, 4] },
  dim: 16,
  depth: 2,
  headDim: 8,
  mlpRatio: 2,
  numClasses: 5,
} as const;
const RESNET = { depths: [1, 2], width: 8, numClasses: 5 } as const;
const PLACE = { home: 'node', backend: 'wasm', softwareGpu: false, scale: 'quick' } as const;

const normals = (rng: Rng, count: number) => Float32Array.from({ length: count }, () => rng.normal());

beforeAll(async () => {
  await tf.setBackend('cpu');
});

const NETWORKS: [string, readonly [number, number], () => VisionTransformer | ResNet][] = [
  ['a vision transformer with class token', [12, 16], () => createVisionTransformer({ ...VIT, pooling: 'token' })],
  [
    'one with mean pooling and layer scale, without bias of qkv and positions',
    [12, 16],
    () => createVisionTransformer({ ...VIT, layerScale: 0.5, qkvBias: false, positionEmbedding: false }),
  ],
  ['a ResNet', [32, 48], () => createResNet(RESNET)],
  [
    'a ResNet without a max pool',
    [16, 16],
    () => createResNet({ ...RESNET, stem: { kernel: 3, stride: 1, pool: false } }),
  ],
];

/** In both packages the tests say so aloud where one is not installed: it is optional. */
const RUNTIMES: [string, () => Promise<Peer | Absent | undefined>][] = [
  ['onnxruntime-node', () => onnxruntimeNodeSingle(PLACE)],
  ['onnxruntime-web', () => onnxruntimeWebWasm(PLACE)],
];

describe.each(NETWORKS)('%s', (_, size, create) => {
  it('is read back with the same weights, all that a model needs', async () => {
    const model = await stirred(create());
    const file = await openOnnx(await networkGraph(model, size));
    for (const [name, { shape, data }] of await networkWeights(model)) {
      expect(await file.get(name), name).toEqual({ dtype: 'float32', shape, data });
    }
    const state = new Map(await Promise.all(file.names.map(async (name) => [name, await file.get(name)] as const)));
    const { missing } = create().loadStateDict(state, { strict: false });
    expect(missing.filter((name) => !name.endsWith('num_batches_tracked'))).toEqual([]);
  });

  it.for(RUNTIMES)('gives its logits in %s, for a batch', async ([, find], { skip }) => {
    const peer = await present(find, skip);
    const model = await stirred(create());
    const shape = [2, 3, ...size];
    const task: PeerTask = {
      kind: 'network',
      model: 'tiny',
      input: normals(new Rng(3), product(shape)),
      inputShape: shape,
      onnx: () => networkGraph(model, size, 2),
      weights: () => networkWeights(model),
    };
    const logits = tf.tidy(() => model.forward(tf.transpose(tf.tensor(task.input, shape), [0, 2, 3, 1])));
    const check = compareValues('our logits', [await answer(peer, task)], [await logits.data()], 2e-5);
    expect(check.error).toBeLessThan(check.tolerance);
  });
});

describe('operators', () => {
  it.for(RUNTIMES)('attention in %s is that of the formula', async ([, find], { skip }) => {
    const peer = await present(find, skip);
    const shape = [2, 3, 5, 4] as const;
    const rng = new Rng(3);
    const [q, k, v] = [normals(rng, 120), normals(rng, 120), normals(rng, 120)] as const;
    const out = await answer(peer, { kind: 'attention', shape, q, k, v });
    expect(compareValues('loops', [out], [attentionByLoops(q, k, v, shape)], 2e-6).error).toBeLessThan(2e-6);
  });

  it.for(RUNTIMES)('a product of matrices in %s', async ([, find], { skip }) => {
    const peer = await present(find, skip);
    const [a, b] = [Float32Array.of(1, 2, 3, 4, 5, 6), Float32Array.of(1, 0, 2, 0, 1, 3)];
    const task: PeerTask = { kind: 'matMul', sizes: [2, 3, 2], a, b };
    expect([...(await answer(peer, task))]).toEqual([8, 9, 20, 18]);
  });
});

describe('networks without a graph', () => {
  it.each<[string, readonly [number, number], () => Module]>([
    ['another mixer', [12, 16], () => createVisionTransformer({ ...VIT, mixer: structSA() })],
    [
      'clips',
      [12, 16],
      () => createVisionTransformer({ ...VIT, gridRank: 3, inputSize: [2, 12, 16], patch: { kernel: [1, 4, 4] } }),
    ],
    ['images of another size', [16, 16], () => createVisionTransformer(VIT)],
    ['gates', [32, 32], () => createResNet({ ...RESNET, gate: squeezeExcitation() })],
    ['no classifier', [32, 32], () => createResNet({ ...RESNET, numClasses: 0 })],
    ['a layer alone', [32, 32], () => new Linear(2, 2, { rng: new Rng(1) })],
  ])('%s is refused', async (_, size, create) => {
    await expect(networkGraph(create(), size)).rejects.toThrow(OnnxWriteError);
    await expect(networkGraph(create(), size)).rejects.toThrow(/^Unsupported: /);
  });
});

/** The peer, or a skipped test that says why. */
async function present(find: (typeof RUNTIMES)[number][1], skip: (note: string) => never): Promise<Peer> {
  const peer = await find();
  if (peer === undefined) throw new Error('a peer for wasm was expected');
  return 'reason' in peer ? skip(peer.reason) : peer;
}

/** softmax(q k^T / sqrt(d)) v, number by number in float64. */
function attentionByLoops(q: Float32Array, k: Float32Array, v: Float32Array, shape: readonly number[]): number[] {
  const [batch, heads, tokens, dim] = shape as [number, number, number, number];
  const at = (x: Float32Array, head: number, token: number, c: number) =>
    x[(head * tokens + token) * dim + c] as number;
  const range = (count: number) => [...Array(count).keys()];
  const sum = (terms: readonly number[]) => terms.reduce((total, term) => total + term, 0);
  return range(batch * heads).flatMap((head) =>
    range(tokens).flatMap((i) => {
      const scores = range(tokens).map((j) => sum(range(dim).map((c) => at(q, head, i, c) * at(k, head, j, c))));
      const powers = scores.map((score) => Math.exp(score / Math.sqrt(dim)));
      return range(dim).map((c) => sum(powers.map((power, j) => power * at(v, head, j, c))) / sum(powers));
    }),
  );
}

async function answer(peer: Peer, task: PeerTask): Promise<Float32Array> {
  const work = await peer.prepare(task);
  if ('reason' in work) throw new Error(work.reason);
  await work.run();
  const result = await work.result();
  await work.dispose();
  return result;
}
