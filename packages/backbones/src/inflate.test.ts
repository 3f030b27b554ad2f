import type { StateTensor } from '@saccade/nn';
import { ConfigError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { expectClose } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Backbone, createBackbone } from './Backbone.ts';
import { inflateStateDict } from './inflate.ts';
import { noise, stir, tinyStructConfig } from './testing/tiny.ts';

beforeAll(async () => {
  await setupBackend('wasm');
});

/** A network of one convolution stage on patches of one frame: positions within 4 frames of the ends see padding. */
const config = (gridRank: 2 | 3) => {
  const patch = gridRank === 2 ? [4, 4] : [1, 4, 4];
  return { gridRank, numClasses: 3, stages: [{ dim: 8, depth: 1, patch: { kernel: patch } }] } as const;
};

const tensor = (shape: readonly number[], data: readonly number[]): StateTensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(data),
});

describe('inflateStateDict', () => {
  it('repeats weights along time and divides by its length', () => {
    const target = new Map([['conv', { shape: [2, 1, 3, 1, 2] }]]);
    const inflated = inflateStateDict(new Map([['conv', tensor([2, 1, 1, 2], [3, 6, 9, 12])]]), target).get('conv');
    expect(inflated).toEqual(tensor([2, 1, 3, 1, 2], [1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4]));
  });

  it('lets vectors, matrices and names that the target lacks pass', () => {
    const image = new Map([
      ['norm.weight', tensor([2], [1, 2])],
      ['fc.weight', tensor([1, 2], [3, 4])],
      ['aux_head.weight', tensor([1, 1, 1, 1], [5])],
    ]);
    const target = new Map([
      ['norm.weight', { shape: [2] }],
      ['fc.weight', { shape: [1, 2] }],
    ]);
    expect(inflateStateDict(image, target)).toEqual(image);
  });

  it('gives every weight of a StructViT the shape that the video network wants', async () => {
    const [image, video] = [createBackbone(tinyStructConfig(2)), createBackbone(tinyStructConfig(3))];
    const inflated = inflateStateDict(await image.stateDict(), await video.stateDict());
    expect(video.loadStateDict(inflated)).toEqual({ missing: [], unexpected: [], misshapen: [] });
    // 3 frames of the stem, of DW3, conv_k and conv_v; 5 of DW5; sums over time are the image's weights.
    const [before, after] = [await image.stateDict(), await video.stateDict()];
    for (const [name, frames] of [
      ['patch_embed1.proj.weight', 3],
      ['patch_embed2.proj.weight', 1],
      ['blocks1.0.pos_embed.weight', 3],
      ['blocks1.0.attn.weight', 5],
      ['blocks1.0.conv1.weight', 1],
      ['blocks3.1.attn.conv_v.weight', 3],
    ] as const) {
      const { shape, data } = after.get(name)!;
      expect(shape[2], name).toBe(frames);
      const [outer, plane] = [shape[0]! * shape[1]!, shape[3]! * shape[4]!];
      const sums = tf.sum(tf.tensor(data as Float32Array, [outer, frames, plane]), 1);
      await expectClose(sums, before.get(name)!.data as Float32Array);
    }
  });

  it('makes a still clip, away from its ends, look like its picture', async () => {
    const [image, video] = [createBackbone(config(2)), createBackbone(config(3))] as [Backbone, Backbone];
    stir(image);
    video.loadStateDict(inflateStateDict(await image.stateDict(), await video.stateDict()));
    const picture = noise([1, 32, 32, 3]);
    const clip = tf.reshape(tf.tile(tf.reshape(picture, [1, 1, picture.size]), [1, 9, 1]), [1, 9, 32, 32, 3]);
    const still = image.eval().forwardFeatures(picture);
    const moving = video.eval().forwardFeatures(clip);
    const frame = (t: number) => tf.slice(tf.reshape(moving, [9, still.size]), [t, 0], [1, still.size]);
    await expectClose(frame(4), await still.data());
    // The ends see zeros, where there is no frame.
    await expect(expectClose(frame(0), await still.data(), { tolerance: 1e-2 })).rejects.toThrow();
  });

  it.each([
    ['another kernel', [2, 1, 3, 5, 5]],
    ['other channels', [3, 1, 3, 3, 3]],
    ['two axes more', [2, 1, 3, 3, 3, 3]],
    ['an axis less', [2, 1, 9]],
  ])('refuses %s', (_, shape) => {
    const image = new Map([['blocks1.0.attn.weight', tensor([2, 1, 3, 3], Array(18).fill(1))]]);
    const call = () => inflateStateDict(image, new Map([['blocks1.0.attn.weight', { shape }]]));
    expect(call).toThrow(ConfigError);
    expect(call).toThrow(
      `blocks1.0.attn.weight: expected a shape that gains one time axis to become [${shape}], got [2,1,3,3]`,
    );
  });

  it('refuses to give a vector a time axis', () => {
    const call = () => inflateStateDict(new Map([['b', tensor([2], [1, 2])]]), new Map([['b', { shape: [2, 3] }]]));
    expect(call).toThrow(ConfigError);
  });
});
