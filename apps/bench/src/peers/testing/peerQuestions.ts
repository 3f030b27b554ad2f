import { createResNet, createVisionTransformer, type ResNet, type VisionTransformer } from '@saccade/backbones';
import { product, Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import type { NetworkTask, PeerTask } from '../../core/comparison.ts';
import { networkWeights } from '../../onnx/layers.ts';
import { networkGraph } from '../../onnx/networkGraph.ts';

/** Kinds of tasks; networks by their family. */
export const TASK_KINDS = ['attention', 'matMul', 'vit', 'resnet'] as const;
export type TaskKind = (typeof TASK_KINDS)[number];

/** A task, and what comes of it. */
export interface Question {
  readonly task: PeerTask;
  readonly expected: ArrayLike<number>;
  readonly tolerance: number;
}

/** Small tasks of a kind; expectations are loops in float64, for networks our own logits. */
export async function questions(kind: TaskKind): Promise<Question[]> {
  switch (kind) {
    case 'attention':
      return [attentionQuestion([2, 3, 5, 4]), attentionQuestion([1, 2, 33, 32])];
    case 'matMul':
      return [matMulQuestion([3, 4, 5]), matMulQuestion([17, 64, 9])];
    case 'vit':
      return [
        await networkQuestion('vit_tiny', createVisionTransformer({ ...VIT, pooling: 'token' }), [12, 16], 2),
        await networkQuestion('vit_tiny_mean', createVisionTransformer({ ...VIT, pooling: 'mean' }), [12, 16], 1),
      ];
    case 'resnet':
      return [await networkQuestion('resnet_tiny', createResNet(RESNET), [32, 48], 2)];
  }
}

const VIT = {
  gridRank: 2,
  inputSize: [12, 16],
  patch: { kernel: [4, 4] },
  dim: 128,
  depth: 2,
  mlpRatio: 2,
  numClasses: 5,
} as const;
const RESNET = { depths: [1, 2], width: 8, numClasses: 5 } as const;

const normals = (rng: Rng, count: number) => Float32Array.from({ length: count }, () => rng.normal());

/** softmax(q k^T / sqrt(d)) v as loops in float64. */
function attentionQuestion(shape: readonly [number, number, number, number]): Question {
  const rng = new Rng(1);
  const [batch, heads, tokens, size] = shape;
  const [q, k, v] = [normals(rng, product(shape)), normals(rng, product(shape)), normals(rng, product(shape))] as const;
  const expected = new Float64Array(product(shape));
  for (let head = 0; head < batch * heads; head++) {
    const at = (n: number) => (head * tokens + n) * size;
    for (let n = 0; n < tokens; n++) {
      const scores = Array.from({ length: tokens }, (_, m) => {
        let sum = 0;
        for (let e = 0; e < size; e++) sum += q[at(n) + e]! * k[at(m) + e]!;
        return Math.exp(sum / Math.sqrt(size));
      });
      const total = scores.reduce((a, b) => a + b);
      for (const [m, score] of scores.entries()) {
        for (let e = 0; e < size; e++) expected[at(n) + e]! += (score / total) * v[at(m) + e]!;
      }
    }
  }
  return { task: { kind: 'attention', shape, q, k, v }, expected, tolerance: 2e-5 };
}

function matMulQuestion(sizes: readonly [number, number, number]): Question {
  const rng = new Rng(2);
  const [rows, inner, columns] = sizes;
  const [a, b] = [normals(rng, rows * inner), normals(rng, inner * columns)];
  const expected = Float64Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns];
    let sum = 0;
    for (let e = 0; e < inner; e++) sum += a[row * inner + e]! * b[e * columns + column]!;
    return sum;
  });
  return { task: { kind: 'matMul', sizes, a, b }, expected, tolerance: 2e-5 };
}

/** Our own logits, on tfjs's plain backend. */
async function networkQuestion(
  name: string,
  model: VisionTransformer | ResNet,
  size: readonly [number, number],
  batch: number,
): Promise<Question> {
  await tf.setBackend('cpu');
  await stir(model);
  const inputShape = [batch, 3, ...size];
  const input = normals(new Rng(3), product(inputShape));
  const logits = tf.tidy(() => model.forward(tf.transpose(tf.tensor(input, inputShape), [0, 2, 3, 1])));
  const expected = await logits.data();
  logits.dispose();
  const [weights, file] = [await networkWeights(model), await networkGraph(model, size, batch)];
  model.dispose();
  const task: NetworkTask = {
    kind: 'network',
    model: name,
    input,
    inputShape,
    weights: async () => weights,
    onnx: async () => file,
  };
  return { task, expected, tolerance: 5e-5 };
}

/** Weights that leave no layer an identity: biases, scales and running statistics start as zeros and ones. */
async function stir(model: VisionTransformer | ResNet): Promise<void> {
  const rng = new Rng(4);
  const state = await model.stateDict();
  for (const { data } of state.values()) {
    if (data instanceof Float32Array) for (const i of data.keys()) data[i]! += 0.1 * rng.normal();
  }
  model.loadStateDict(state);
  model.eval();
}
