import * as tf from '@tensorflow/tfjs-core';
import { usesKernel } from './kernelMode.ts';
import { PLANE_CONV3D, PLANE_CONV3D_FILTER } from './kernels/names.ts';
import { assertShape } from './shape.ts';
import { withGradient } from './withGradient.ts';

/**
 * A 3x3x3 convolution between few planes: stride 1, zero padding 1, no bias (cross-correlation, as everywhere).
 *
 * `y[o, b, i, j, k] = sum over p, u, v, w of x[p, b, i+u-1, j+v-1, k+w-1] * filter[u, v, w, p, o]`
 *
 * `x` [P, B, a, b, c], `filter` [3, 3, 3, P, O] -> [O, B, a, b, c]: the planes lead, since with one or two of them
 * channels last would leave nothing to vectorise. A kernel of ours on wasm, whose own conv3d has wrong gradients, and on
 * webgpu; elsewhere tfjs' conv3d and, for the gradient of the filter, products of shifted maps.
 *
 * @throws ShapeError if x is not of rank 5 or the filter not [3, 3, 3, P, O]
 */
export function planeConv3d(x: tf.Tensor5D, filter: tf.Tensor5D): tf.Tensor5D {
  assertShape('x', x, ['P', 'B', 'a', 'b', 'c']);
  assertShape('filter', filter, [3, 3, 3, x.shape[0], 'O']);
  return withGradient(
    [x, filter],
    ([x, filter]) => ({ value: convolve(x, filter), saved: [x, filter] }),
    (dy, [x, filter]) => [convolve(dy, turned(filter)), filterGradient(x, dy)],
  );
}

function convolve(x: tf.Tensor5D, filter: tf.Tensor5D): tf.Tensor5D {
  if (usesKernel(PLANE_CONV3D)) return tf.engine().runKernel(PLANE_CONV3D, { x, filter }) as tf.Tensor5D;
  return tf.tidy(() => {
    const last = tf.transpose(x, [1, 2, 3, 4, 0]);
    return tf.transpose(tf.conv3d(last, filter, 1, 'same'), [4, 0, 1, 2, 3]) as tf.Tensor5D;
  });
}

/** The filter of the input's gradient: taps in the opposite order, planes of input and output exchanged. */
function turned(filter: tf.Tensor5D): tf.Tensor5D {
  const [, , , inputs, outputs] = filter.shape;
  // Rank 3: tfjs reverses no more than four axes on webgpu.
  const taps = tf.reverse(tf.reshape(filter, [27, inputs, outputs]), 0);
  return tf.reshape(tf.transpose(taps, [0, 2, 1]), [3, 3, 3, outputs, inputs]) as tf.Tensor5D;
}

function filterGradient(x: tf.Tensor5D, dy: tf.Tensor5D): tf.Tensor5D {
  if (usesKernel(PLANE_CONV3D_FILTER)) {
    return tf.engine().runKernel(PLANE_CONV3D_FILTER, { x, dy }) as tf.Tensor5D;
  }
  const [inputs, batch, ...size] = x.shape;
  const outputs = dy.shape[0];
  return tf.tidy(() => {
    // Planes and samples on one axis: webgpu pads and slices rank 4 at most.
    const maps = tf.reshape(x, [inputs * batch, ...size]) as tf.Tensor4D;
    const padded = tf.pad(maps, [[0, 0], ...size.map((): [number, number] => [1, 1])]);
    const flatDy = tf.transpose(tf.reshape(dy, [outputs, -1]));
    const taps = TAPS.map((tap) => {
      const shifted = tf.slice(padded, [0, ...tap], [inputs * batch, ...size]);
      return tf.matMul(tf.reshape(shifted, [inputs, -1]), flatDy);
    });
    return tf.reshape(tf.stack(taps), [3, 3, 3, inputs, outputs]) as tf.Tensor5D;
  });
}

/** [u, v, w] of all taps, row-major. */
const TAPS = Array.from({ length: 27 }, (_, tap) => [Math.floor(tap / 9), Math.floor(tap / 3) % 3, tap % 3]);
