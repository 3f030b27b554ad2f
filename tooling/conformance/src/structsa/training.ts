import type { Backbone } from '@saccade/backbones';
import { AdamW, crossEntropy, gradientNorm, valueAndGradients } from '@saccade/engine';
import * as tf from '@tensorflow/tfjs-core';
import type { Checks } from '../Checks.ts';
import { updateError } from '../compare.ts';
import type { Golden } from '../Golden.ts';
import type { Handler } from '../registry.ts';
import { inputOf, networkOf, structMixer } from './network.ts';

/** AdamW steps of a StructViT in training mode: loss, logits and gradient length of each, then the whole state. */
export const training: Handler = {
  family: 'structsa',
  kind: /^AdamW training steps of StructViT/,
  large: true,
  async replay(golden, checks) {
    using model = networkOf(golden, { mixer: structMixer(golden) });
    model.loadStateDict(golden.state('state_before.'));
    model.train();
    const steps = await runSteps(model, golden);
    await checks.tensors('forward', steps);
    await compareState(model, golden, checks);
  },
};

async function runSteps(model: Backbone, golden: Golden): Promise<Record<string, tf.Tensor>> {
  using optimizer = new AdamW({
    parameters: model.namedParameters(),
    lr: golden.number('lr'),
    weightDecay: golden.number('weight_decay'),
    betas: golden.numbers('betas') as [number, number],
    eps: golden.number('eps'),
  });
  const x = inputOf(golden);
  const labels = golden.labels('labels');
  const batch = x.shape[0] as number;
  const losses: tf.Tensor[] = [];
  const logits: tf.Tensor[] = [];
  const norms: tf.Tensor[] = [];
  for (let step = 0; step < golden.number('steps'); step++) {
    const { value, gradients } = valueAndGradients(model, () => {
      const output = tf.keep(model.forward(x));
      logits.push(output);
      const own = labels.subarray(step * batch, (step + 1) * batch);
      return crossEntropy(output, own, { labelSmoothing: golden.number('label_smoothing') });
    });
    losses.push(value);
    norms.push(gradientNorm(gradients));
    optimizer.step(gradients);
    tf.dispose([...gradients.values()]);
  }
  const stacked = { loss: tf.stack(losses), logits: tf.stack(logits), grad_norm: tf.stack(norms) };
  tf.dispose([x, ...losses, ...logits, ...norms]);
  return stacked;
}

/**
 * Weights are compared by the step they took, which is small beside them.
 *
 * The bias of the last block's fc2 has a gradient of exactly zero: the BatchNorm behind it takes a constant off every
 * channel again. Adam divides rounding noise by its own size and makes of it steps of up to lr. Of this one tensor, and
 * of the running mean behind it, which follows it, no more can be asked than that they went no farther.
 */
async function compareState(model: Backbone, golden: Golden, checks: Checks): Promise<void> {
  const depths = golden.numbers('depth');
  const drifting = [`blocks${depths.length}.${(depths.at(-1) as number) - 1}.mlp.fc2.bias`, 'norm.running_mean'];
  const parameters = model.namedParameters();
  const state = await model.stateDict();
  for (const name of golden.names('state_after.')) {
    const key = `state_after.${name}`;
    const actual = state.get(name);
    if (drifting.includes(name)) checks.values('absolute', key, actual);
    else if (name.endsWith('num_batches_tracked')) checks.values('exact', key, actual);
    else if (!parameters.has(name) || !actual) checks.values('statistics', key, actual);
    else checks.add('update', key, updateError(actual, golden.get(key), golden.get(`state_before.${name}`)), 'update');
  }
}
