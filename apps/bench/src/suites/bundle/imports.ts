import { Rng } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { type BundledImport, bundledImport } from './bundledImport.ts';

type Aia = typeof import('@saccade/aia');
type Backbones = typeof import('@saccade/backbones');
type Datasets = typeof import('@saccade/datasets');
type DgAttention = typeof import('@saccade/dg-attention');
type Engine = typeof import('@saccade/engine');
type Lisa = typeof import('@saccade/lisa');
type Media = typeof import('@saccade/media');
type Nn = typeof import('@saccade/nn');
type StructSA = typeof import('@saccade/structsa');
type TensorOps = typeof import('@saccade/tensor-ops');
type Weights = typeof import('@saccade/weights');

const [DIM, HEADS, GRID] = [8, 2, [4, 4]] as const;

/** Numbers of a tensor that is made of seeded ones, on the backend in use. */
async function numbersOf(
  compute: (seeded: (...shape: number[]) => tf.Tensor) => tf.Tensor,
): Promise<ArrayLike<number>> {
  const rng = new Rng(1);
  const seeded = (...shape: number[]) =>
    tf.tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.uniform(-1, 1)),
      shape,
    );
  const result = tf.tidy(() => compute(seeded));
  const numbers = await result.data();
  result.dispose();
  return numbers as Float32Array;
}

/** A module applied to tokens [1, N, C]. */
async function ofTokens(module: {
  forward(x: tf.Tensor3D, grid: [number, number]): tf.Tensor;
  dispose(): void;
}): Promise<ArrayLike<number>> {
  const numbers = await numbersOf((seeded) => module.forward(seeded(1, 16, DIM) as tf.Tensor3D, [...GRID]));
  module.dispose();
  return numbers;
}

const state = () => new Map([['w', { dtype: 'float32' as const, shape: [3], data: Float32Array.of(1, 2, 4) }]]);

/** Imports by what they are for. Those that have budgets are listed there, in `tooling/check`. */
export const IMPORTS: Readonly<Record<string, readonly BundledImport[]>> = {
  budgets: [
    bundledImport<StructSA>('@saccade/structsa', ['StructSelfAttention'], (m) =>
      ofTokens(new m.StructSelfAttention({ dim: DIM, heads: HEADS })),
    ),
    bundledImport<Lisa>('@saccade/lisa', ['LisaSelfAttention'], (m) =>
      ofTokens(new m.LisaSelfAttention({ dim: DIM, heads: HEADS, grid: [...GRID] })),
    ),
    bundledImport<DgAttention>('@saccade/dg-attention', ['DgSelfAttention'], (m) =>
      ofTokens(new m.DgSelfAttention({ dim: DIM, heads: HEADS, groups: 4, topK: 4 })),
    ),
    bundledImport<TensorOps>('@saccade/tensor-ops', ['matMul'], (m) =>
      numbersOf((seeded) => m.matMul(seeded(2, 3, 4), seeded(2, 4, 5))),
    ),
    bundledImport<Weights>('@saccade/weights', ['parseSafetensors'], (m) => {
      const header = new TextEncoder().encode('{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}  ');
      const file = new Uint8Array(8 + header.length + 8);
      file[0] = header.length;
      file.set(header, 8);
      new Float32Array(file.buffer, 8 + header.length, 2).set([1.5, -2]);
      return m.parseSafetensors(file).get('w').data as Float32Array;
    }),
  ],
  functions: [
    bundledImport<TensorOps>('@saccade/tensor-ops', ['attention'], (m) =>
      numbersOf((seeded) => {
        const [q, k, v] = [seeded(1, 2, 5, 4), seeded(1, 2, 5, 4), seeded(1, 2, 5, 4)] as tf.Tensor4D[];
        return m.attention(q as tf.Tensor4D, k as tf.Tensor4D, v as tf.Tensor4D);
      }),
    ),
    bundledImport<TensorOps>('@saccade/tensor-ops', ['groupedAttention', 'dynamicGroups']),
    bundledImport<TensorOps>('@saccade/tensor-ops', ['gridCorrelation']),
    bundledImport<TensorOps>('@saccade/tensor-ops', ['conv2d'], (m) =>
      numbersOf((seeded) => m.conv2d(seeded(1, 5, 5, 2) as tf.Tensor4D, seeded(3, 3, 2, 3) as tf.Tensor4D)),
    ),
    bundledImport<StructSA>('@saccade/structsa', ['structAttention']),
    bundledImport<Lisa>('@saccade/lisa', ['lisaAttention']),
    bundledImport<DgAttention>('@saccade/dg-attention', ['dynamicGroupAttention']),
    bundledImport<Aia>('@saccade/aia', ['channelInSpaceTime']),
  ],
  layers: [
    bundledImport<Nn>('@saccade/nn', ['SelfAttention'], (m) =>
      ofTokens(new m.SelfAttention({ dim: DIM, heads: HEADS, rng: new Rng(1) })),
    ),
    bundledImport<Nn>('@saccade/nn', ['CosineSelfAttention'], (m) =>
      ofTokens(new m.CosineSelfAttention({ dim: DIM, heads: HEADS, rng: new Rng(1) })),
    ),
    bundledImport<Nn>('@saccade/nn', ['Mlp', 'LayerNorm']),
    bundledImport<Nn>('@saccade/nn', ['windowed']),
  ],
  models: [
    bundledImport<Backbones>('@saccade/backbones', ['createModel'], (m) => {
      using model = m.createModel('structvit_pico_video');
      return [...model.stateShapes().values()].flatMap(({ shape }) => [...shape]);
    }),
    bundledImport<Backbones>('@saccade/backbones', ['createVisionTransformer', 'deitConfig'], (m) => {
      using model = m.createVisionTransformer({ ...m.deitConfig('ti'), depth: 1 });
      return [...model.stateShapes().values()].flatMap(({ shape }) => [...shape]);
    }),
    bundledImport<Backbones>('@saccade/backbones', ['createBackbone', 'uniformerConfig']),
    bundledImport<Backbones>('@saccade/backbones', ['createResNet', 'resnetConfig']),
    bundledImport<Backbones>('@saccade/backbones', ['createDgt', 'dgtConfig']),
    bundledImport<Backbones>('@saccade/backbones', ['loadWeights']),
  ],
  weights: [
    bundledImport<Weights>('@saccade/weights', ['openWeights'], async (m) => {
      const { serializeSafetensors } = await import('@saccade/weights');
      const file = await m.openWeights(serializeSafetensors(state()));
      return (await file.get('w')).data as Float32Array;
    }),
    bundledImport<Weights>('@saccade/weights', ['parseTorch'], async (m) => {
      const { serializeTorch } = await import('@saccade/weights');
      return m.parseTorch(serializeTorch(state())).stateDict().get('w').data as Float32Array;
    }),
    bundledImport<Weights>('@saccade/weights', ['openNumpy']),
    bundledImport<Weights>('@saccade/weights', ['openOnnx']),
    bundledImport<Weights>('@saccade/weights', ['openTfjs']),
    bundledImport<Weights>('@saccade/weights', ['serializeSafetensors'], (m) => m.serializeSafetensors(state())),
    bundledImport<Weights>('@saccade/weights', ['serializeTorch'], (m) => m.serializeTorch(state())),
  ],
  media: [
    bundledImport<Media>('@saccade/media', ['decodeImage']),
    bundledImport<Media>('@saccade/media', ['evalTransform'], (m) => {
      const data = Uint8Array.from({ length: 20 * 30 * 3 }, (_, i) => (i * 7) % 256);
      return m.evalTransform({ size: 16 })({ data, width: 30, height: 20, channels: 3 }).data;
    }),
    bundledImport<Media>('@saccade/media', ['trainTransform']),
    bundledImport<Media>('@saccade/media', ['openVideo']),
    bundledImport<Media>('@saccade/media', ['segmentFrames'], (m) => m.segmentFrames(100, { segments: 8 })),
  ],
  data: [
    bundledImport<Datasets>('@saccade/datasets', ['DataLoader', 'readerOf']),
    bundledImport<Datasets>('@saccade/datasets', ['imageDataset', 'indexImageFolder']),
    bundledImport<Datasets>('@saccade/datasets', ['WebDataset']),
    bundledImport<Datasets>('@saccade/datasets', ['cocoDataset', 'indexCoco']),
    bundledImport<Datasets>('@saccade/datasets', ['MotionDataset']),
  ],
  training: [
    bundledImport<Engine>('@saccade/engine', ['train', 'AdamW']),
    bundledImport<Engine>('@saccade/engine', ['evaluate']),
  ],
};
