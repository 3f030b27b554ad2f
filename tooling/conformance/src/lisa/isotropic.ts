import { VisionTransformer } from '@saccade/backbones';
import type { Grid } from '@saccade/nn';
import * as tf from '@tensorflow/tfjs-core';
import { differentiate } from '../differentiate.ts';
import type { Handler } from '../handler.ts';
import { channelsFirst, channelsLast } from '../layout.ts';
import { mixerOf } from './settings.ts';

/** A small vision transformer with LiSA: logits, tokens on the way, all gradients. */
export const isotropic: Handler = {
  family: 'lisa',
  kind: /^isotropic network$/,
  async replay(golden, checks) {
    const [dim, patch] = [golden.number('dim'), golden.number('patch')];
    using model = new VisionTransformer({
      gridRank: 2,
      inputSize: golden.numbers('grid').map((size) => size * patch) as unknown as Grid,
      patch: { kernel: [patch, patch] },
      dim,
      depth: golden.number('depth'),
      headDim: dim / golden.number('heads'),
      mixer: mixerOf(golden),
      numClasses: golden.number('num_classes'),
    });
    model.loadStateDict(golden.state('state.'));
    const input = tf.tidy(() => channelsLast(golden.tensor('input')));
    for (const name of golden.names('tap.')) {
      const tokens = tf.tidy(() => {
        const map = name === 'embed' ? embedded(model, input) : blockMap(model, input, Number(name.split('.')[1]));
        return tf.reshape(map, golden.get(`tap.${name}`).shape as number[]);
      });
      await checks.tensors('forward', { [`tap.${name}`]: tokens });
    }
    const { output, gradInput, gradients } = await differentiate(model, input, golden.tensor('grad_output'), (x) =>
      model.forward(x),
    );
    await checks.tensors('forward', { output });
    await checks.tensors('gradients', { grad_input: tf.tidy(() => channelsFirst(gradInput)) });
    gradInput.dispose();
    checks.under('gradients', 'grad.', gradients);
  },
};

function embedded(model: VisionTransformer, x: tf.Tensor): tf.Tensor {
  const patches = model.patchEmbed.forward(x as tf.Tensor4D);
  return tf.add(tf.reshape(patches, [x.shape[0], -1, model.config.dim]), model.posEmbed?.variable as tf.Tensor);
}

function blockMap(model: VisionTransformer, x: tf.Tensor, block: number): tf.Tensor {
  return model.forwardIntermediates(x, [block])[0] as tf.Tensor;
}
