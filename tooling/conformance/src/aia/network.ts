import { type Bottleneck, ResNetVideo } from '@saccade/backbones';
import { temporalShift } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { Checks } from '../Checks.ts';
import type { Golden } from '../Golden.ts';
import type { Handler } from '../handler.ts';
import { channelsFirst, channelsLast } from '../layout.ts';
import { gateOf } from './bottleneck.ts';

/** Whole small networks under several variants: one set of weights, of which each takes what it has. */
export const network: Handler = {
  family: 'aia',
  kind: /^whole network eval/,
  async replay(golden, checks) {
    const clips = inputClips(golden, 'input');
    for (const variant of golden.names('output.')) {
      using model = networkOf(golden, variant, 0.5);
      const state = golden.state('state.');
      const known = new Set((await model.stateDict()).keys());
      model.loadStateDict(new Map([...state].filter(([name]) => known.has(name))));
      model.eval();
      const output = model.forward(clips);
      await checks.tensors('forward', { [`output.${variant}`]: output });
      if (variant === golden.text('main')) await compareTaps(model, clips, golden, checks);
    }
    clips.dispose();
  },
};

/** `TSM_CinST_BN`: the backbone, then the gate. */
export function networkOf(golden: Golden, name: string, dropout: number): ResNetVideo {
  const [backbone, ...variant] = name.split('_');
  const gate = gateOf(variant.join('_'));
  return new ResNetVideo({
    depths: JSON.parse(golden.text('layers')) as number[],
    width: golden.number('width'),
    frames: golden.number('T'),
    numClasses: golden.number('num_class'),
    ...(backbone === 'TSM' ? { shiftDiv: 8 } : {}),
    ...(gate ? { gate } : {}),
    dropout,
  });
}

/** Clips as the reference takes them, [N, 3T, H, W] -> [N, T, H, W, 3]. */
export function inputClips(golden: Golden, name: string): tf.Tensor5D {
  return tf.tidy(() => {
    const stacked = golden.tensor<tf.Tensor4D>(name);
    const [batch, , height, width] = stacked.shape;
    const frames = golden.number('T');
    const maps = channelsLast(tf.reshape(stacked, [batch * frames, 3, height, width]));
    return tf.reshape(maps, [batch, frames, height, width, 3]) as tf.Tensor5D;
  });
}

/** What lies between input and logits, of frames as a batch. */
async function compareTaps(model: ResNetVideo, clips: tf.Tensor5D, golden: Golden, checks: Checks): Promise<void> {
  const base = model.baseModel;
  const [batch, frames, height, width, channels] = clips.shape;
  const images = tf.reshape(clips, [batch * frames, height, width, channels]) as tf.Tensor4D;
  const maps: Record<string, () => tf.Tensor> = {
    maxpool: () => channelsFirst(base.forwardStem(images)),
    avgpool: () => tf.reshape(base.forwardPooled(images), golden.get('tap.avgpool').shape as number[]),
    frame_logits: () => tf.reshape(model.forwardFrames(clips), golden.get('tap.frame_logits').shape as number[]),
    ...Object.fromEntries(
      base.stages.map((_, s) => [
        `layer${s + 1}`,
        () => channelsFirst(base.forwardIntermediates(images, [s])[0] as tf.Tensor4D),
      ]),
    ),
    'layer1.0.eft.in': () => channelsFirst(beforeFirstGate(model, images)),
    'layer1.0.eft.out': () => channelsFirst(firstBlock(model).gated(beforeFirstGate(model, images))),
  };
  for (const name of golden.names('tap.')) {
    const compute = maps[name];
    if (!compute) continue; // Left unused: the report says so and the file fails.
    await checks.tensors('forward', { [`tap.${name}`]: tf.tidy(compute) });
  }
  images.dispose();
}

/** What the gate of the first bottleneck takes: the block's layers up to it. */
function beforeFirstGate(model: ResNetVideo, images: tf.Tensor4D): tf.Tensor4D {
  const { frames, shiftDiv } = model.config;
  const block = firstBlock(model);
  const stem = model.baseModel.forwardStem(images);
  const shifted = shiftDiv === undefined ? stem : temporalShift(stem, { frames, shiftDiv });
  const reduced = tf.relu(block.bn1.forward(block.conv1.forward(shifted)));
  return block.bn2.forward(block.conv2.forward(reduced));
}

function firstBlock({ baseModel }: ResNetVideo): Bottleneck {
  return baseModel.stages[0]?.items[0] as Bottleneck;
}
