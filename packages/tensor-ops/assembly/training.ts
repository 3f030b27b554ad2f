// Kernels of training convolutional networks: a product that convolutions take their filter's gradient from, and batch
// normalisation, which is bound by memory. Rows are cut into blocks that stay in the cache; each block is summed for
// itself, which also keeps the rounding errors of long sums small.

const BLOCK: i32 = 64;

/** Adds x^T dy to sums: x [rows, m], dy [rows, n], sums [m, n]. */
export function addTransposedProduct(x: usize, dy: usize, sums: usize, rows: i32, m: i32, n: i32): void {
  const xStep: usize = (<usize>m) << 2;
  const dyStep: usize = (<usize>n) << 2;
  for (let start = 0; start < rows; start += BLOCK) {
    const count = min(BLOCK, rows - start);
    let out = sums;
    let i = 0;
    for (; i + 4 <= m; i += 4) {
      const at = x + ((<usize>i) << 2);
      let j = 0;
      for (; j + 8 <= n; j += 8) tile4x8(at, dy + ((<usize>j) << 2), out + ((<usize>j) << 2), count, xStep, dyStep);
      for (; j < n; j++) {
        for (let r = 0; r < 4; r++) {
          addDot(at + (<usize>r << 2), dy + ((<usize>j) << 2), out + r * dyStep + ((<usize>j) << 2), count, xStep, dyStep);
        }
      }
      out += dyStep << 2;
    }
    for (; i < m; i++) {
      const at = x + ((<usize>i) << 2);
      let j = 0;
      for (; j + 4 <= n; j += 4) tile1x4(at, dy + ((<usize>j) << 2), out + ((<usize>j) << 2), count, xStep, dyStep);
      for (; j < n; j++) addDot(at, dy + ((<usize>j) << 2), out + ((<usize>j) << 2), count, xStep, dyStep);
      out += dyStep;
    }
    x += xStep * count;
    dy += dyStep * count;
  }
}

/** Four rows and eight columns of the sums, kept in registers over a block. */
@inline
function tile4x8(x: usize, dy: usize, out: usize, count: i32, xStep: usize, dyStep: usize): void {
  let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
  for (let k = 0; k < count; k++) {
    const d0 = v128.load(dy);
    const d1 = v128.load(dy, 16);
    let value = v128.load32_splat(x);
    s00 = f32x4.add(s00, f32x4.mul(value, d0));
    s01 = f32x4.add(s01, f32x4.mul(value, d1));
    value = v128.load32_splat(x, 4);
    s10 = f32x4.add(s10, f32x4.mul(value, d0));
    s11 = f32x4.add(s11, f32x4.mul(value, d1));
    value = v128.load32_splat(x, 8);
    s20 = f32x4.add(s20, f32x4.mul(value, d0));
    s21 = f32x4.add(s21, f32x4.mul(value, d1));
    value = v128.load32_splat(x, 12);
    s30 = f32x4.add(s30, f32x4.mul(value, d0));
    s31 = f32x4.add(s31, f32x4.mul(value, d1));
    x += xStep;
    dy += dyStep;
  }
  addTo(out, s00);
  addTo(out + 16, s01);
  out += dyStep;
  addTo(out, s10);
  addTo(out + 16, s11);
  out += dyStep;
  addTo(out, s20);
  addTo(out + 16, s21);
  out += dyStep;
  addTo(out, s30);
  addTo(out + 16, s31);
}

@inline
function tile1x4(x: usize, dy: usize, out: usize, count: i32, xStep: usize, dyStep: usize): void {
  let sum = f32x4.splat(0);
  for (let k = 0; k < count; k++) {
    sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(x), v128.load(dy)));
    x += xStep;
    dy += dyStep;
  }
  addTo(out, sum);
}

@inline
function addDot(x: usize, dy: usize, out: usize, count: i32, xStep: usize, dyStep: usize): void {
  let sum: f32 = 0;
  for (let k = 0; k < count; k++) {
    sum += load<f32>(x) * load<f32>(dy);
    x += xStep;
    dy += dyStep;
  }
  store<f32>(out, load<f32>(out) + sum);
}

@inline
function addTo(at: usize, value: v128): void {
  v128.store(at, f32x4.add(v128.load(at), value));
}

/** Mean and biased variance of each column: x [rows, channels] -> mean, variance [channels]. */
export function columnMoments(x: usize, mean: usize, variance: usize, rows: i32, channels: i32): void {
  const share = <f32>1 / <f32>rows;
  const step: usize = (<usize>channels) << 2;
  clear(mean, channels);
  clear(variance, channels);
  for (let start = 0; start < rows; start += BLOCK) {
    addMoments(x + step * start, mean, mean, min(BLOCK, rows - start), channels, false);
  }
  scale(mean, channels, share);
  for (let start = 0; start < rows; start += BLOCK) {
    addMoments(x + step * start, mean, variance, min(BLOCK, rows - start), channels, true);
  }
  scale(variance, channels, share);
}

/** Adds to `sums`, over a block of rows, x or (x - centre)^2. */
@inline
function addMoments(x: usize, centre: usize, sums: usize, count: i32, channels: i32, squared: bool): void {
  const step: usize = (<usize>channels) << 2;
  let c = 0;
  for (; c + 4 <= channels; c += 4) {
    let at = x + ((<usize>c) << 2);
    const middle = v128.load(centre + ((<usize>c) << 2));
    let sum = f32x4.splat(0);
    for (let k = 0; k < count; k++, at += step) {
      const value = v128.load(at);
      const d = f32x4.sub(value, middle);
      sum = f32x4.add(sum, squared ? f32x4.mul(d, d) : value);
    }
    addTo(sums + ((<usize>c) << 2), sum);
  }
  for (; c < channels; c++) {
    let at = x + ((<usize>c) << 2);
    const middle = load<f32>(centre + ((<usize>c) << 2));
    let sum: f32 = 0;
    for (let k = 0; k < count; k++, at += step) {
      const value = load<f32>(at);
      sum += squared ? (value - middle) * (value - middle) : value;
    }
    const total = sums + ((<usize>c) << 2);
    store<f32>(total, load<f32>(total) + sum);
  }
}

/** y = (x - mean) inverseStd gamma + beta, column by column: x, y [rows, channels], the others [channels]. */
export function batchNorm(
  x: usize, mean: usize, inverseStd: usize, gamma: usize, beta: usize, y: usize, rows: i32, channels: i32,
): void {
  const step: usize = (<usize>channels) << 2;
  for (let row = 0; row < rows; row++) {
    let c = 0;
    for (; c + 4 <= channels; c += 4) {
      const at = (<usize>c) << 2;
      const scale = f32x4.mul(v128.load(inverseStd + at), v128.load(gamma + at));
      const centred = f32x4.sub(v128.load(x + at), v128.load(mean + at));
      v128.store(y + at, f32x4.add(f32x4.mul(centred, scale), v128.load(beta + at)));
    }
    for (; c < channels; c++) {
      const at = (<usize>c) << 2;
      const scale = load<f32>(inverseStd + at) * load<f32>(gamma + at);
      store<f32>(y + at, (load<f32>(x + at) - load<f32>(mean + at)) * scale + load<f32>(beta + at));
    }
    x += step;
    y += step;
  }
}

/**
 * Gradients of {@link batchNorm} with the batch's own statistics. With d = x - mean, i = inverseStd, over the rows
 * S = sum of dy and P = sum of dy d: dBeta = S, dGamma = i P, dx = gamma i (dy - S / rows - d i^2 P / rows).
 */
export function batchNormGrad(
  x: usize, dy: usize, mean: usize, inverseStd: usize, gamma: usize, dx: usize, dGamma: usize, dBeta: usize,
  rows: i32, channels: i32,
): void {
  clear(dGamma, channels);
  clear(dBeta, channels);
  const step: usize = (<usize>channels) << 2;
  for (let start = 0; start < rows; start += BLOCK) {
    const offset = step * start;
    sumBlock(x + offset, dy + offset, mean, dGamma, dBeta, min(BLOCK, rows - start), channels);
  }
  const share = <f32>1 / <f32>rows;
  for (let start = 0; start < rows; start += BLOCK) {
    const offset = step * start;
    const count = min(BLOCK, rows - start);
    let c = 0;
    for (; c + 4 <= channels; c += 4) {
      const at = (<usize>c) << 2;
      const inverse = v128.load(inverseStd + at);
      const scale = f32x4.mul(inverse, v128.load(gamma + at));
      const slope = f32x4.mul(f32x4.mul(inverse, inverse), f32x4.mul(v128.load(dGamma + at), f32x4.splat(share)));
      const shift = f32x4.mul(v128.load(dBeta + at), f32x4.splat(share));
      const centre = v128.load(mean + at);
      let place = offset + at;
      for (let k = 0; k < count; k++, place += step) {
        const projection = f32x4.mul(f32x4.sub(v128.load(x + place), centre), slope);
        const rest = f32x4.sub(f32x4.sub(v128.load(dy + place), shift), projection);
        v128.store(dx + place, f32x4.mul(rest, scale));
      }
    }
    for (; c < channels; c++) {
      const at = (<usize>c) << 2;
      const inverse = load<f32>(inverseStd + at);
      const scale = inverse * load<f32>(gamma + at);
      const slope = inverse * inverse * load<f32>(dGamma + at) * share;
      const shift = load<f32>(dBeta + at) * share;
      const centre = load<f32>(mean + at);
      let place = offset + at;
      for (let k = 0; k < count; k++, place += step) {
        const projection = (load<f32>(x + place) - centre) * slope;
        store<f32>(dx + place, (load<f32>(dy + place) - shift - projection) * scale);
      }
    }
  }
  for (let c = 0; c < channels; c++, dGamma += 4, inverseStd += 4) {
    store<f32>(dGamma, load<f32>(dGamma) * load<f32>(inverseStd));
  }
}

/** Adds sums over a block of rows: of dy to `sums`, of dy (x - mean) to `products`. */
@inline
function sumBlock(
  x: usize, dy: usize, mean: usize, products: usize, sums: usize, count: i32, channels: i32,
): void {
  const step: usize = (<usize>channels) << 2;
  let c = 0;
  for (; c + 4 <= channels; c += 4) {
    const at = (<usize>c) << 2;
    const centre = v128.load(mean + at);
    let place = at;
    let sum = f32x4.splat(0);
    let product = f32x4.splat(0);
    for (let k = 0; k < count; k++, place += step) {
      const slope = v128.load(dy + place);
      sum = f32x4.add(sum, slope);
      product = f32x4.add(product, f32x4.mul(slope, f32x4.sub(v128.load(x + place), centre)));
    }
    addTo(sums + at, sum);
    addTo(products + at, product);
  }
  for (; c < channels; c++) {
    const at = (<usize>c) << 2;
    const centre = load<f32>(mean + at);
    let place = at;
    let sum: f32 = 0;
    let product: f32 = 0;
    for (let k = 0; k < count; k++, place += step) {
      const slope = load<f32>(dy + place);
      sum += slope;
      product += slope * (load<f32>(x + place) - centre);
    }
    store<f32>(sums + at, load<f32>(sums + at) + sum);
    store<f32>(products + at, load<f32>(products + at) + product);
  }
}

@inline
function clear(at: usize, count: i32): void {
  memory.fill(at, 0, (<usize>count) << 2);
}

@inline
function scale(at: usize, count: i32, factor: f32): void {
  for (let i = 0; i < count; i++, at += 4) store<f32>(at, load<f32>(at) * factor);
}
