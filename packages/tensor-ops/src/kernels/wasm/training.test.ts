import { describeOnBackends, expectClose } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { at, fill, sample, sum } from '../../testing/reference.ts';
import { runOn, simdBackends } from '../../testing/wasmKernels.ts';
import { batchNorm, batchNormGrad, columnMoments } from './batchNorm.ts';
import { conv2DBackpropFilter } from './conv2dBackpropFilter.ts';
import { simdKernels } from './simd.ts';

// More rows than a block of the kernels has, and channels that fill no vector.
const [ROWS, CHANNELS] = [150, 7];
const x = sample([ROWS, CHANNELS], 1, { low: 2, high: 5 });
const dy = sample([ROWS, CHANNELS], 2);
const [mean, inverseStd] = [sample([CHANNELS], 3, { low: 3, high: 4 }), sample([CHANNELS], 4, { low: 0.5, high: 2 })];
const [gamma, beta] = [sample([CHANNELS], 5), sample([CHANNELS], 6)];
const normal = (row: number, c: number) => (at(x, row, c) - at(mean, c)) * at(inverseStd, c);
const column = (value: (c: number) => number) => fill([CHANNELS], (c) => value(c as number)).data;

describeOnBackends(
  'kernels for training',
  () => {
    it('are tried on both ways', () => {
      expect(simdBackends.map(([, backend]) => simdKernels(backend()) !== undefined)).toEqual([true, false]);
    });

    it.each(simdBackends)('columnMoments, %s', async (_, backend) => {
      const [means, variances] = runOn(columnMoments, backend(), { x });
      const average = (c: number) => sum(ROWS, (row) => at(x, row, c)) / ROWS;
      await expectClose(means!, column(average));
      await expectClose(
        variances!,
        column((c) => sum(ROWS, (row) => (at(x, row, c) - average(c)) ** 2) / ROWS),
      );
    });

    it.each(simdBackends)('batchNorm, %s', async (_, backend) => {
      const [y] = runOn(batchNorm, backend(), { x, mean, inverseStd, gamma, beta });
      const expected = fill(x.shape, (row, c) => normal(row!, c!) * at(gamma, c!) + at(beta, c!));
      await expectClose(y!, expected.data);
    });

    it.each(simdBackends)('batchNormGrad, %s', async (_, backend) => {
      const [dx, dGamma, dBeta] = runOn(batchNormGrad, backend(), { x, dy, mean, inverseStd, gamma });
      const sums = column((c) => sum(ROWS, (row) => at(dy, row, c)));
      const projections = column((c) => sum(ROWS, (row) => at(dy, row, c) * normal(row, c)));
      const expected = fill(x.shape, (row, c) => {
        const rest = at(dy, row!, c!) - (sums[c!]! + normal(row!, c!) * projections[c!]!) / ROWS;
        return at(gamma, c!) * at(inverseStd, c!) * rest;
      });
      await expectClose(dBeta!, sums);
      await expectClose(dGamma!, projections);
      await expectClose(dx!, expected.data);
    });

    // Tiles of 4x8, rows and columns that are left over, and more positions than a block has.
    it.each(
      simdBackends.flatMap((backend) => [
        [...backend, [2, 10, 9, 5], [3, 2, 5, 11], 1] as const,
        [...backend, [1, 9, 10, 3], [1, 1, 3, 4], 2] as const,
        [...backend, [1, 10, 9, 6], [1, 1, 6, 9], 1] as const,
      ]),
    )('Conv2DBackpropFilter, %s: %j, filter %j, stride %i', async (_, backend, shape, filterShape, stride) => {
      const info = tf.backend_util.computeConv2DInfo([...shape], [...filterShape], stride, 1, 'valid');
      const [input, slope] = [sample(shape, 7), sample(info.outShape, 8)];
      const attrs = { strides: stride, pad: 'valid', dataFormat: 'NHWC', filterShape };
      const [dFilter] = runOn(conv2DBackpropFilter, backend(), { x: input, dy: slope }, attrs);
      const expected = fill(filterShape, (u, v, ci, co) =>
        sum(info.outShape[0] * info.outHeight * info.outWidth, (place) => {
          const [j, i] = [place % info.outWidth, Math.floor(place / info.outWidth) % info.outHeight];
          const b = Math.floor(place / (info.outWidth * info.outHeight));
          return at(input, b, i * stride + u!, j * stride + v!, ci!) * at(slope, b, i, j, co!);
        }),
      );
      await expectClose(dFilter!, expected.data);
    });
  },
  { backends: ['wasm'] },
);
