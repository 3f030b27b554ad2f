import { Backbone, fourStages } from '@saccade/backbones';
import type { MixerSpec } from '@saccade/nn';
import { structSA } from '@saccade/structsa';
import * as tf from '@tensorflow/tfjs-core';
import type { Golden } from '../Golden.ts';
import { channelsFirst, channelsLast } from '../layout.ts';

/** What a replay changes of the network that a file describes. */
export interface NetworkChanges {
  /** default: plain attention */
  readonly mixer?: MixerSpec;
  /** default: that of the file's input */
  readonly gridRank?: 2 | 3;
}

/** The network that a file describes, without its weights. */
export function networkOf(golden: Golden, changes: NetworkChanges = {}): Backbone {
  const stages = fourStages({
    depths: golden.numbers('depth'),
    dims: golden.numbers('embed_dim'),
    headDim: golden.number('head_dim'),
    gridRank: gridRankOf(golden),
    ...changes,
  });
  return new Backbone({ ...stages, numClasses: golden.number('num_classes') });
}

/** 2 for [B, 3, H, W], 3 for [B, 3, T, H, W]. */
function gridRankOf(golden: Golden): 2 | 3 {
  return (golden.numbers('shape').length - 2) as 2 | 3;
}

/** StructSA with a file's D and kernel; `stride` is the name of the note that states it. */
export function structMixer(golden: Golden, stride = 'stride'): MixerSpec {
  const kernel = golden.numbers('kernel');
  return structSA({
    detectors: golden.number('D'),
    kernelK: kernel,
    kernelV: kernel,
    stride: golden.numbers(stride).at(-1) as number,
  });
}

/** A network's input, channels last. */
export function inputOf(golden: Golden, name = 'input'): tf.Tensor {
  return tf.tidy(() => channelsLast(golden.tensor(name)));
}

/** Every feature that files hold, channels first, under the names that they give them. */
export function features(model: Backbone, x: tf.Tensor): Record<string, tf.Tensor> {
  return tf.tidy(() => {
    const stages = model.forwardIntermediates(x);
    const embedded = model.patchEmbeds.map((embed, s) => embed.forward((s === 0 ? x : stages[s - 1]) as tf.Tensor4D));
    const maps: [string, tf.Tensor][] = [
      ...embedded.map((map, s): [string, tf.Tensor] => [`patch_embed${s + 1}`, map]),
      ...stages.map((map, s): [string, tf.Tensor] => [`stage${s + 1}`, map]),
      ['norm', model.forwardFeatures(x)],
    ];
    return {
      ...Object.fromEntries(maps.map(([name, map]) => [name, channelsFirst(map)])),
      pooled: model.forwardPooled(x),
    };
  });
}

/** Those features that a file holds under `prefix`, by their golden names; the others are disposed. */
export function featuresIn(golden: Golden, prefix: string, all: Record<string, tf.Tensor>): Record<string, tf.Tensor> {
  const held: Record<string, tf.Tensor> = {};
  for (const [name, tensor] of Object.entries(all)) {
    if (golden.has(prefix + name)) held[prefix + name] = tensor;
    else tensor.dispose();
  }
  return held;
}
