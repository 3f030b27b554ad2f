import { type LisaPadding, resizeTables } from '@saccade/lisa';
import * as tf from '@tensorflow/tfjs-core';
import type { Handler } from '../handler.ts';

/** Tables of one grid brought to another: with the area factor, without it, and the matrix of each axis. */
export const resize: Handler = {
  family: 'lisa',
  kind: /^table resize$/,
  async replay(golden, checks) {
    const [from, to] = [golden.numbers('grid'), golden.numbers('grid2')];
    const padding = golden.text('padding') as LisaPadding;
    const resized = (area: boolean) => tf.tidy(() => resizeTables(golden.tensor('table'), { from, to, padding, area }));
    await checks.tensors('forward', { resized: resized(false), 'resized.area': resized(true) });
    for (const [axis, size] of from.entries()) {
      // The rows of the identity, resized, are the columns of the matrix.
      const matrix = tf.tidy(() => {
        const entries = padding === 'zero' ? 2 * size - 1 : size;
        const options = { from: [size], to: [to[axis] as number], padding, area: false };
        return tf.transpose(resizeTables(tf.eye(entries), options));
      });
      await checks.tensors('forward', { [`matrix.axis${axis}`]: matrix });
    }
  },
};
