// GELU and layer normalisation, each in one pass over what they read.

import { bytes, exponential, sumOf } from './elementary';

/**
 * `Phi(x)`, the standard normal distribution function, from `gauss = exp(-x^2 / 2)`: for x < 0
 * `gauss t (a1 + t (a2 + ...)) / 2`, `t = 1 / (1 + p |x| / sqrt 2)`, absolute error 7.5e-8; 1 less that for x > 0.
 * Source: Abramowitz and Stegun, 7.1.26.
 */
@inline
function normalCdf(x: v128, gauss: v128): v128 {
  const one = f32x4.splat(1);
  const t = f32x4.div(one, f32x4.add(one, f32x4.mul(f32x4.abs(x), f32x4.splat(0.23164188827))));
  let p = f32x4.splat(0.5307027145);
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-0.7265760135));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.7107068705));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(-0.142248368));
  p = f32x4.add(f32x4.mul(p, t), f32x4.splat(0.127414796));
  const tail = f32x4.mul(f32x4.mul(p, t), gauss);
  return v128.bitselect(tail, f32x4.sub(one, tail), f32x4.lt(x, f32x4.splat(0)));
}

/** exp(-x^2 / 2) */
@inline
function gaussOf(x: v128): v128 {
  return exponential(f32x4.mul(f32x4.mul(x, x), f32x4.splat(-0.5)));
}

@inline
function geluOf(x: v128): v128 {
  return f32x4.mul(x, normalCdf(x, gaussOf(x)));
}

/** Phi(x) + x phi(x), phi(x) = exp(-x^2 / 2) / sqrt(2 pi) */
@inline
function geluSlope(x: v128): v128 {
  const gauss = gaussOf(x);
  const density = f32x4.mul(f32x4.mul(x, gauss), f32x4.splat(0.3989422804));
  return f32x4.add(normalCdf(x, gauss), density);
}

/** y = x Phi(x) of `count` numbers. */
export function gelu(x: usize, y: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) v128.store(y + bytes(i), geluOf(v128.load(x + bytes(i))));
  for (; i < count; i++) v128.store_lane<f32>(y + bytes(i), geluOf(v128.load_zero<f32>(x + bytes(i))), 0);
}

/** dx = dy (Phi(x) + x phi(x)) of `count` numbers. */
export function geluGrad(dy: usize, x: usize, dx: usize, count: i32): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    v128.store(dx + bytes(i), f32x4.mul(v128.load(dy + bytes(i)), geluSlope(v128.load(x + bytes(i)))));
  }
  for (; i < count; i++) {
    const slope = geluSlope(v128.load_zero<f32>(x + bytes(i)));
    v128.store_lane<f32>(dx + bytes(i), f32x4.mul(v128.load_zero<f32>(dy + bytes(i)), slope), 0);
  }
}

/** y = (x - mean) inverseStd gamma + beta for each row of x [rows, C], with its mean and biased variance; both are kept. */
export function layerNorm(
  x: usize, gamma: usize, beta: usize, y: usize, means: usize, inverseStds: usize, rows: i32, channels: i32, eps: f32,
): void {
  const bytes: usize = (<usize>channels) << 2;
  const whole: usize = bytes & ~15;
  for (let row = 0; row < rows; row++) {
    let sums = f32x4.splat(0);
    let c: usize = 0;
    for (; c < whole; c += 16) sums = f32x4.add(sums, v128.load(x + c));
    let sum = sumOf(sums);
    for (; c < bytes; c += 4) sum += load<f32>(x + c);
    const mean = sum / <f32>channels;
    const meanOfAll = f32x4.splat(mean);
    sums = f32x4.splat(0);
    for (c = 0; c < whole; c += 16) {
      const centred = f32x4.sub(v128.load(x + c), meanOfAll);
      sums = f32x4.add(sums, f32x4.mul(centred, centred));
    }
    sum = sumOf(sums);
    for (; c < bytes; c += 4) {
      const centred = load<f32>(x + c) - mean;
      sum += centred * centred;
    }
    const inverse = <f32>1 / sqrt<f32>(sum / <f32>channels + eps);
    const inverses = f32x4.splat(inverse);
    for (c = 0; c < whole; c += 16) {
      const normal = f32x4.mul(f32x4.sub(v128.load(x + c), meanOfAll), inverses);
      v128.store(y + c, f32x4.add(f32x4.mul(normal, v128.load(gamma + c)), v128.load(beta + c)));
    }
    for (; c < bytes; c += 4) {
      store<f32>(y + c, (load<f32>(x + c) - mean) * inverse * load<f32>(gamma + c) + load<f32>(beta + c));
    }
    store<f32>(means, mean);
    store<f32>(inverseStds, inverse);
    means += 4;
    inverseStds += 4;
    x += bytes;
    y += bytes;
  }
}
