import * as tf from '@tensorflow/tfjs-core';
import { relativeError } from '../compare.ts';
import type { Handler } from '../handler.ts';
import { inputOf, networkOf, structMixer } from './network.ts';

/** A StructViT of a UniFormer's weights and centred-delta filters: its logits are those of the UniFormer. */
export const delta: Handler = {
  family: 'structsa',
  kind: /^StructViT built from UniFormer weights/,
  async replay(golden, checks) {
    const base = await golden.mentionedFile('base');
    using model = networkOf(base, { mixer: structMixer(golden) });
    model.loadStateDict(new Map([...base.state('state.'), ...golden.state('state.')]));
    model.eval();
    const output = tf.tidy(() => model.forward(inputOf(base)));
    const values = { shape: output.shape, data: await output.data() };
    await checks.tensors('forward', { output });
    checks.add('forward', 'output of the UniFormer', relativeError(values, base.get('output')), 'output');
  },
};
