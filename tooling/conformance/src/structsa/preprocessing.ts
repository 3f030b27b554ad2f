import {
  deitShortSide,
  evalTransform,
  type PixelImage,
  type ResizeFilter,
  resize,
  shortSideSize,
} from '@saccade/media';
import * as tf from '@tensorflow/tfjs-core';
import type { Handler } from '../handler.ts';
import { channelsFirst } from '../layout.ts';

/** The evaluation transform: the resized bytes, none of which may differ, and the normalised crop. */
export const preprocessing: Handler = {
  family: 'structsa',
  kind: /^evaluation preprocessing$/,
  async replay(golden, checks) {
    const { data, shape } = golden.get('input_u8');
    const [height, width, channels] = shape as [number, number, number];
    const image: PixelImage = { data: data as Uint8Array, width, height, channels };
    const [size, filter] = [golden.number('size'), golden.text('interpolation') as ResizeFilter];

    const resized = resize(image, { ...shortSideSize(width, height, deitShortSide(size)), filter });
    const resizedShape = [resized.height, resized.width, resized.channels];
    checks.values('exact', 'resized_u8', { shape: resizedShape, data: resized.data });

    const [mean, std] = [golden.numbers('mean'), golden.numbers('std')];
    const output = evalTransform({ size, filter, mean, std })(image);
    const planes = tf.tidy(() => {
      const first = channelsFirst(tf.tensor(output.data, [1, ...output.shape]));
      return tf.reshape(first, first.shape.slice(1));
    });
    await checks.tensors('forward', { output: planes });
  },
};
