import { temporalShift } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { Handler } from '../handler.ts';
import { channelsFirst, channelsLast } from '../layout.ts';

/** The temporal shift alone, on frames as a batch. */
export const shift: Handler = {
  family: 'aia',
  kind: /^temporal shift$/,
  async replay(golden, checks) {
    const options = { frames: golden.number('T'), shiftDiv: golden.number('fold_div') };
    const output = tf.tidy(() =>
      channelsFirst(temporalShift(channelsLast<tf.Tensor4D>(golden.tensor('input')), options)),
    );
    await checks.tensors('forward', { output });
  },
};
