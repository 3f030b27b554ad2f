import * as tf from '@tensorflow/tfjs-core';
import type { StockForward } from './peersComparison.ts';
import type { StockWeights } from './StockWeights.ts';

/** Channels of a head of DeiT. */
const HEAD_DIM = 64;

/** DeiT with its class token: images [B, H, W, 3] -> logits. */
export const stockDeit: StockForward = (weights, x) => {
  const dim = weights.tensor('cls_token').shape[2] as number;
  const side = patchSide(weights);
  const maps = tf.conv2d(x, weights.tensor('patch_embed.proj.weight', [2, 3, 1, 0]) as tf.Tensor4D, side, 'valid');
  const patches = tf.reshape(tf.add(maps, weights.tensor('patch_embed.proj.bias')), [x.shape[0], -1, dim]);
  const classes = tf.tile(weights.tensor('cls_token'), [x.shape[0], 1, 1]);
  let tokens: tf.Tensor = tf.add(tf.concat([classes, patches], 1), weights.tensor('pos_embed'));
  for (let i = 0; weights.has(`blocks.${i}.norm1.weight`); i++) tokens = block(weights, tokens, `blocks.${i}`);
  const first = tf.slice(weights.layerNorm(tokens, 'norm', 1e-6), [0, 0, 0], [-1, 1, -1]);
  return weights.linear(tf.squeeze(first, [1]), 'head') as tf.Tensor2D;
};

/** The side of a patch, from the filter [H, W, 3, C] that cuts them. */
function patchSide(weights: StockWeights): number {
  return weights.tensor('patch_embed.proj.weight', [2, 3, 1, 0]).shape[0] as number;
}

function block(weights: StockWeights, x: tf.Tensor, name: string): tf.Tensor {
  return tf.tidy(() => {
    const mixed = attention(weights, weights.layerNorm(x, `${name}.norm1`, 1e-6), `${name}.attn`);
    const y = tf.add(x, mixed);
    const hidden = weights.linear(weights.layerNorm(y, `${name}.norm2`, 1e-6), `${name}.mlp.fc1`);
    return tf.add(y, weights.linear(gelu(hidden), `${name}.mlp.fc2`));
  });
}

function attention(weights: StockWeights, x: tf.Tensor, name: string): tf.Tensor {
  const [batch, tokens, channels] = x.shape as [number, number, number];
  const heads = (part: tf.Tensor) => {
    return tf.transpose(tf.reshape(part, [batch, tokens, channels / HEAD_DIM, HEAD_DIM]), [0, 2, 1, 3]);
  };
  const [q, k, v] = tf.split(weights.linear(x, `${name}.qkv`), 3, -1).map(heads) as [tf.Tensor, tf.Tensor, tf.Tensor];
  const maps = tf.softmax(tf.mul(tf.matMul(q, k, false, true), HEAD_DIM ** -0.5));
  const merged = tf.reshape(tf.transpose(tf.matMul(maps, v), [0, 2, 1, 3]), x.shape);
  return weights.linear(merged, `${name}.proj`);
}

/** x Phi(x), exactly as PyTorch's. */
function gelu(x: tf.Tensor): tf.Tensor {
  return tf.mul(x, tf.mul(tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1), 0.5));
}

/** ResNet-50 and its like, version 1.5: images [B, H, W, 3] -> logits. */
export const stockResNet: StockForward = (weights, x) => {
  const stem = tf.relu(weights.batchNorm(weights.convolution(x, 'conv1', 2, 3), 'bn1', 1e-5));
  let maps = tf.maxPool(stem as tf.Tensor4D, 3, 2, 1);
  for (let s = 1; weights.has(`layer${s}.0.conv1.weight`); s++) {
    for (let i = 0; weights.has(`layer${s}.${i}.conv1.weight`); i++) {
      maps = bottleneck(weights, maps, `layer${s}.${i}`, s > 1 && i === 0 ? 2 : 1);
    }
  }
  return weights.linear(tf.mean(maps, [1, 2]), 'fc') as tf.Tensor2D;
};

function bottleneck(weights: StockWeights, x: tf.Tensor4D, name: string, stride: number): tf.Tensor4D {
  return tf.tidy(() => {
    const layer = (y: tf.Tensor4D, i: 1 | 2 | 3, step: number, padding: number) =>
      weights.batchNorm(weights.convolution(y, `${name}.conv${i}`, step, padding), `${name}.bn${i}`, 1e-5);
    const reduced = tf.relu(layer(x, 1, 1, 0));
    const spatial = tf.relu(layer(reduced, 2, stride, 1));
    const shortcut = weights.has(`${name}.downsample.0.weight`)
      ? weights.batchNorm(weights.convolution(x, `${name}.downsample.0`, stride, 0), `${name}.downsample.1`, 1e-5)
      : x;
    return tf.relu(tf.add(layer(spatial, 3, 1, 0), shortcut)) as tf.Tensor4D;
  });
}
