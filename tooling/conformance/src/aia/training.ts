import type { ResNetVideo } from '@saccade/backbones';
import { clipGradients, crossEntropy, networkGroups, SGD, valueAndGradients } from '@saccade/engine';
import * as tf from '@tensorflow/tfjs-core';
import type { Checks } from '../Checks.ts';
import { updateError } from '../compare.ts';
import { torchGradients } from '../differentiate.ts';
import type { Golden } from '../Golden.ts';
import type { Handler } from '../handler.ts';
import { inputClips, networkOf } from './network.ts';

/** Two steps of the public recipe: loss, logits and gradient length of each, gradients of the first, the state after both. */
export const training: Handler = {
  family: 'aia',
  kind: /^2 SGD steps/,
  async replay(golden, checks) {
    using model = networkOf(golden, golden.text('net').replace(/_BN$/, ''), 0);
    model.loadStateDict(golden.state('state_before.'));
    model.train();
    const parameters = model.namedParameters();
    using optimizer = new SGD({
      parameters,
      lr: golden.number('lr'),
      momentum: golden.number('momentum'),
      weightDecay: golden.number('weight_decay'),
      multipliers: networkGroups(parameters),
    });
    const taken = [await step(model, optimizer, golden, checks, 0), await step(model, optimizer, golden, checks, 1)];
    await checks.tensors('forward', { loss: tf.stack(taken.map(({ loss }) => loss)) });
    await checks.tensors('gradients', { grad_total_norm: tf.stack(taken.map(({ norm }) => norm)) });
    for (const { loss, norm } of taken) tf.dispose([loss, norm]);
    await compareState(model, golden, checks);
  },
};

async function step(
  model: ResNetVideo,
  optimizer: SGD,
  golden: Golden,
  checks: Checks,
  index: number,
): Promise<{ loss: tf.Scalar; norm: tf.Scalar }> {
  const x = inputClips(golden, `input${index}`);
  let logits: tf.Tensor | undefined;
  const { value, gradients } = valueAndGradients(model, () => {
    const output = tf.keep(model.forward(x));
    logits = output;
    return crossEntropy(output, golden.labels(`label${index}`));
  });
  await checks.tensors('forward', { [`logits${index}`]: logits as unknown as tf.Tensor });
  checks.under('gradients', `grad${index}.`, await torchGradients(model, gradients));
  const clipped = clipGradients(gradients, golden.number('clip_total_norm'));
  optimizer.step(clipped.gradients);
  tf.dispose([x, ...gradients.values(), ...clipped.gradients.values()]);
  return { loss: value, norm: clipped.norm };
}

/** Weights are compared by the way they went, which is short beside them. */
async function compareState(model: ResNetVideo, golden: Golden, checks: Checks): Promise<void> {
  const parameters = model.namedParameters();
  const state = await model.stateDict();
  for (const name of golden.names('state_after.')) {
    const key = `state_after.${name}`;
    const actual = state.get(name);
    if (name.endsWith('num_batches_tracked')) checks.values('exact', key, actual);
    else if (!parameters.has(name) || !actual) checks.values('statistics', key, actual);
    else checks.add('update', key, updateError(actual, golden.get(key), golden.get(`state_before.${name}`)), 'update');
  }
}
