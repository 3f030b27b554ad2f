import { describeOnBackends, expectClose } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { at, type Dense, sample, sum } from '../../testing/reference.ts';
import { runOn, simdBackends } from '../../testing/wasmKernels.ts';
import type { WasmBackend } from './backend.ts';
import { batchMatMul } from './batchMatMul.ts';
import { gelu, geluGrad } from './gelu.ts';
import { layerNorm } from './layerNorm.ts';
import { simdKernels } from './simd.ts';

/** Phi(x) by the midpoint rule of its integral from 0, which no kernel uses. */
function normalCdf(x: number): number {
  const steps = 4000;
  const step = x / steps;
  return 0.5 + (sum(steps, (i) => Math.exp(-(((i + 0.5) * step) ** 2) / 2)) * step) / Math.sqrt(2 * Math.PI);
}

describeOnBackends(
  'kernels for layers of transformers',
  () => {
    it('are tried on both ways', () => {
      expect(simdBackends.map(([, backend]) => simdKernels(backend()) !== undefined)).toEqual([true, false]);
    });

    // 7 numbers: one vector and what fills none.
    const x: Dense = { shape: [7], data: Float64Array.of(-6, -2.3, -0.4, 0, 0.7, 1.9, 5) };

    it.each(simdBackends)('gelu, %s', async (_, backend) => {
      const [y] = runOn(gelu, backend(), { x });
      await expectClose(
        y!,
        x.data.map((value) => value * normalCdf(value)),
        { tolerance: 1e-6 },
      );
    });

    it.each(simdBackends)('geluGrad, %s', async (_, backend) => {
      const dy = sample([7], 2);
      const [dx] = runOn(geluGrad, backend(), { dy, x });
      const density = (value: number) => Math.exp(-(value ** 2) / 2) / Math.sqrt(2 * Math.PI);
      const expected = x.data.map((value, i) => at(dy, i) * (normalCdf(value) + value * density(value)));
      await expectClose(dx!, expected, { tolerance: 1e-6 });
    });

    it.each(simdBackends)('layerNorm, %s', async (_, backend) => {
      const [rows, channels, eps] = [5, 7, 1e-3];
      const x = sample([rows, channels], 1, { low: 2, high: 5 });
      const [gamma, beta] = [sample([channels], 3), sample([channels], 4)];
      const [y, means, inverseStds] = runOn(layerNorm, backend(), { x, gamma, beta }, { eps });
      const each = <T>(count: number, value: (i: number) => T) => Array.from({ length: count }, (_, i) => value(i));
      const mean = each(rows, (row) => sum(channels, (c) => at(x, row, c)) / channels);
      const variance = each(rows, (row) => sum(channels, (c) => (at(x, row, c) - mean[row]!) ** 2) / channels);
      const inverse = variance.map((value) => 1 / Math.sqrt(value + eps));
      const normal = (row: number, c: number) => (at(x, row, c) - mean[row]!) * inverse[row]!;
      const expected = each(rows * channels, (i) => {
        const c = i % channels;
        return normal(Math.floor(i / channels), c) * at(gamma, c) + at(beta, c);
      });
      await expectClose(y!, Float32Array.from(expected));
      await expectClose(means!, Float32Array.from(mean));
      await expectClose(inverseStds!, Float32Array.from(inverse));
    });

    it('batchMatMul: panels, their edges, few rows, and more depth than a panel has', async () => {
      const size = (max: number) => fc.integer({ min: 1, max });
      const sizes = fc.record({
        groups: size(2),
        rows: size(14),
        inner: fc.oneof(size(20), fc.constant(1030)),
        columns: size(19),
      });
      await fc.assert(
        fc.asyncProperty(sizes, async ({ groups, rows, inner, columns }) => {
          const [a, b] = [sample([groups, rows, inner], 1), sample([groups, inner, columns], 2)];
          const [y] = runOn(batchMatMul, tf.backend() as unknown as WasmBackend, { a, b });
          const expected = Float64Array.from({ length: groups * rows * columns }, (_, i) => {
            const [g, row, column] = [Math.floor(i / rows / columns), Math.floor(i / columns) % rows, i % columns];
            return sum(inner, (k) => at(a, g, row, k) * at(b, g, k, column));
          });
          await expectClose(y!, Float32Array.from(expected), { tolerance: 1e-5 });
        }),
        { numRuns: 40 },
      );
    });
  },
  { backends: ['wasm'] },
);
