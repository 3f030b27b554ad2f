import type { Backbone } from '@saccade/backbones';
import { AdamW, crossEntropy, gradientNorm, valueAndGradients } from '@saccade/engine';
import * as tf from '@tensorflow/tfjs-core';
import type { Checks } from '../Checks.ts';
import { updateError, type Values } from '../compare.ts';
import type { Golden } from '../Golden.ts';
import type { Handler } from '../handler.ts';
import { inputOf, networkOf, structMixer } from './network.ts';

/**
 * AdamW steps of a StructViT in training mode: loss, logits and gradient length of each, then the whole state.
 *
 * One weight needs care: the bias of the last block's fc2. Its gradient is exactly zero, since the BatchNorm behind it
 * takes a constant off every channel again. Adam divides rounding noise by its own size and makes of it steps of up to
 * lr; in float64, as the file was computed, eps swallows them. So of this tensor no more can be asked than that it went
 * no farther than that, and what it added to the running mean behind it is taken off again before that is compared.
 */
export const training: Handler = {
  family: 'structsa',
  kind: /^AdamW training steps of StructViT/,
  async replay(golden, checks) {
    using model = networkOf(golden, { mixer: structMixer(golden) });
    model.loadStateDict(golden.state('state_before.'));
    model.train();
    const drift = new MeanDrift(model, driftingBias(golden), golden.number('bn_momentum'));
    await checks.tensors('forward', await runSteps(model, golden, drift));
    await compareState(model, golden, checks, drift);
  },
};

function driftingBias(golden: Golden): string {
  const depths = golden.numbers('depth');
  return `blocks${depths.length}.${(depths.at(-1) as number) - 1}.mlp.fc2.bias`;
}

async function runSteps(model: Backbone, golden: Golden, drift: MeanDrift): Promise<Record<string, tf.Tensor>> {
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
    await drift.beforeStep();
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

/** Weights are compared by the way they went, which is short beside them. */
async function compareState(model: Backbone, golden: Golden, checks: Checks, drift: MeanDrift): Promise<void> {
  const parameters = model.namedParameters();
  const state = await model.stateDict();
  for (const name of golden.names('state_after.')) {
    const key = `state_after.${name}`;
    const actual = state.get(name);
    if (name === drift.bias) checks.values('absolute', key, actual);
    else if (name === 'norm.running_mean' && actual) checks.values('statistics', key, drift.takenOff(actual));
    else if (name.endsWith('num_batches_tracked')) checks.values('exact', key, actual);
    else if (!parameters.has(name) || !actual) checks.values('statistics', key, actual);
    else checks.add('update', key, updateError(actual, golden.get(key), golden.get(`state_before.${name}`)), 'update');
  }
}

/** What the drift of a bias adds to the running mean of the BatchNorm behind it. */
class MeanDrift {
  readonly bias: string;
  readonly #variable: tf.Variable;
  readonly #momentum: number;
  #start: Float32Array | undefined;
  #added: Float64Array;

  constructor(model: Backbone, bias: string, momentum: number) {
    this.bias = bias;
    this.#variable = model.namedParameters().get(bias)?.variable as tf.Variable;
    this.#momentum = momentum;
    this.#added = new Float64Array(this.#variable.size);
  }

  async beforeStep(): Promise<void> {
    const now = Float32Array.from(await this.#variable.data());
    this.#start ??= now;
    const start = this.#start;
    this.#added = this.#added.map(
      (added, c) => (1 - this.#momentum) * added + this.#momentum * ((now[c] as number) - (start[c] as number)),
    );
  }

  takenOff({ shape, data }: Values): Values {
    return { shape, data: this.#added.map((added, c) => Number(data[c]) - added) };
  }
}
