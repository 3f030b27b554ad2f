import { Backbone, fourStages } from '@saccade/backbones';
import type { Grid } from '@saccade/nn';
import * as tf from '@tensorflow/tfjs-core';
import { differentiate } from '../differentiate.ts';
import { GoldenError } from '../errors.ts';
import type { Golden } from '../Golden.ts';
import type { Handler } from '../handler.ts';
import { channelsFirst, channelsLast } from '../layout.ts';
import { mixerOf } from './settings.ts';

/** A small network of four stages with LiSA in the last two: evaluation, then one training step's gradients. */
export const hierarchical: Handler = {
  family: 'lisa',
  kind: /^hierarchical network$/,
  async replay(golden, checks) {
    using model = networkOf(golden);
    model.eval();
    const input = tf.tidy(() => channelsLast(golden.tensor('input')));
    await checks.tensors('forward', { 'output.eval': model.forward(input) });
    const stages = model.forwardIntermediates(input);
    for (const [s, map] of stages.entries()) {
      await checks.tensors('forward', { [`tap.stage${s + 1}`]: tf.tidy(() => channelsFirst(map)) });
    }
    tf.dispose(stages);

    model.train();
    const { output, gradInput, gradients } = await differentiate(model, input, golden.tensor('grad_output'), (x) =>
      model.forward(x),
    );
    await checks.tensors('forward', { 'output.train': output });
    await checks.tensors('gradients', { grad_input: tf.tidy(() => channelsFirst(gradInput)) });
    gradInput.dispose();
    for (const name of golden.names('grad.')) {
      const vanishes = golden.get(`grad.${name}`).data.every((value: number | bigint) => value === 0);
      checks.values(vanishes ? 'absolute' : 'gradients', `grad.${name}`, gradients.get(name));
    }
    checks.under('statistics', 'state_after.', await model.stateDict());
  },
};

/** The network that a file describes, with its weights; the file has none of BatchNorm's counters. */
function networkOf(golden: Golden): Backbone {
  if (golden.text('lisa_stages') !== '3,4') {
    throw new GoldenError(`its metadata states "lisa_stages" as "${golden.text('lisa_stages')}": expected 3,4`);
  }
  const list = (key: string) => JSON.parse(golden.text(key)) as number[];
  const config = fourStages({
    depths: list('depths'),
    dims: list('dims'),
    headDim: golden.number('head_dim'),
    mixer: mixerOf(golden),
  });
  const model = new Backbone({
    ...config,
    inputSize: JSON.parse(golden.text('img').replace('(', '[').replace(')', ']')) as Grid,
    mlpRatio: golden.number('mlp_ratio'),
    numClasses: golden.number('num_classes'),
  });
  const { missing, unexpected } = model.loadStateDict(golden.state('state.'), { strict: false });
  const others = [...missing.filter((name) => !name.endsWith('.num_batches_tracked')), ...unexpected];
  if (others.length > 0) throw new GoldenError(`its weights are not those of the network: ${others.join(', ')}`);
  return model;
}
