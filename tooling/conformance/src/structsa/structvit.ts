import { crossEntropy, valueAndGradients } from '@saccade/engine';
import * as tf from '@tensorflow/tfjs-core';
import { torchGradients } from '../differentiate.ts';
import type { Handler } from '../handler.ts';
import { features, featuresIn, inputOf, networkOf, structMixer } from './network.ts';

/** A whole StructViT in evaluation mode, one run for each stride: logits, features, loss, gradients of every weight. */
export const structvit: Handler = {
  family: 'structsa',
  kind: /^StructViT (image|video) network, eval-mode forward and backward/,
  async replay(golden, checks) {
    const labels = golden.labels('labels');
    const x = inputOf(golden);
    for (const key of golden.keys.filter((key) => key.startsWith('stride_'))) {
      const run = key.slice('stride_'.length);
      using model = networkOf(golden, { mixer: structMixer(golden, key) });
      model.loadStateDict(golden.state('state.'));
      model.eval();
      let output: tf.Tensor2D | undefined;
      const { value, gradients } = valueAndGradients(model, () => {
        output = tf.keep(model.forward(x));
        return crossEntropy(output, labels);
      });
      await checks.tensors('forward', { [`${run}.output`]: output as unknown as tf.Tensor, [`${run}.loss`]: value });
      checks.under('gradients', `${run}.grad.`, await torchGradients(model, gradients));
      tf.dispose([...gradients.values()]);
      await checks.tensors('forward', featuresIn(golden, `${run}.feat.`, features(model, x)));
      // What lies before the attention does not depend on the stride and is stored once.
      await checks.tensors('forward', featuresIn(golden, 'feat.', features(model, x)));
    }
    x.dispose();
  },
};
