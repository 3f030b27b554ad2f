import { describeOnBackends, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { gelu } from './gelu.ts';

/** erf in float64: `2/sqrt(pi) exp(-x^2) sum_n 2^n x^(2n+1) / (2n+1)!!`, a series of positive terms (DLMF 7.6.2). */
function erf(x: number): number {
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

const cdf = (x: number) => (1 + erf(x / Math.SQRT2)) / 2;
const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
const tanhForm = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));

const points = Float32Array.from({ length: 97 }, (_, i) => (i - 48) / 8);
const largest = (found: ArrayLike<number>, expected: (x: number) => number) =>
  Math.max(...Array.from(points, (x, i) => Math.abs((found[i] as number) - expected(x))));

it('compares with an erf that has the tabulated values', () => {
  // Abramowitz and Stegun, table 7.1.
  expect(erf(0.5)).toBeCloseTo(0.5204998778, 10);
  expect(erf(1)).toBeCloseTo(0.8427007929, 10);
  expect(erf(2)).toBeCloseTo(0.995322265, 10);
});

describeOnBackends('gelu', () => {
  it('is x Phi(x) to 1e-6 for x in [-6, 6]', async () => {
    expect(largest(await gelu(tf.tensor1d(points)).data(), (x) => x * cdf(x))).toBeLessThan(1e-6);
  });

  it('has the gradient Phi(x) + x phi(x) to 1e-6', async () => {
    const gradient = tf.grad((x) => gelu(x))(tf.tensor1d(points));
    expect(largest(await gradient.data(), (x) => cdf(x) + x * density(x))).toBeLessThan(1e-6);
    await finiteDifference((x) => gelu(x as tf.Tensor), [tf.tensor2d([[-2, -0.5, 0.1], [0, 1, 3]])]); // biome-ignore format: a matrix
  });

  it('is not the tanh form', async () => {
    const difference = largest(await gelu(tf.tensor1d(points)).data(), tanhForm);
    expect(difference).toBeGreaterThan(4e-4);
    expect(difference).toBeLessThan(5e-4);
  });

  it('stays finite far out', async () => {
    const [lowest, low, ...high] = await gelu(tf.tensor1d([-1e4, -30, 30, 1e4])).array();
    // Denormal numbers or zeros, by how the exponential ends.
    expect(Math.abs(lowest as number)).toBeLessThan(1e-37);
    expect(Math.abs(low as number)).toBeLessThan(1e-37);
    expect(high).toEqual([30, 1e4]);
  });
});
