// What carries tokens into the fields of fft.ts and back: eight channels at a time, four as real and four as imaginary parts.

/** Where the tokens of a map lie, in a tensor and in a field; distances in bytes. */
@unmanaged
class Tokens {
  rows: i32;
  columns: i32;
  depth: i32;
  /** in a field, between planes of rows and between rows */
  planeStride: i32;
  rowStride: i32;
  /** in the tensor, between tokens */
  step: i32;
  /** channels in the real lanes, at most 4, and in the imaginary lanes */
  real: i32;
  imaginary: i32;
  /** in the tensor, from the channels of the real to those of the imaginary lanes */
  apart: i32;
}

/** field = x, or x[n] scales[n] unless `scales` is 0. */
export function fftLoad(x: usize, scales: usize, field: usize, tokens: Tokens): void {
  const apart: usize = tokens.apart, step: usize = tokens.step;
  for (let a = 0; a < tokens.depth; a++) {
    for (let b = 0; b < tokens.rows; b++) {
      let at = field + <usize>a * tokens.planeStride + <usize>b * tokens.rowStride;
      for (let n = 0; n < tokens.columns; n++, x += step, at += 32) {
        let re = take(x, tokens.real), im = take(x + apart, tokens.imaginary);
        if (scales) {
          const scale = v128.load32_splat(scales);
          re = f32x4.mul(re, scale);
          im = f32x4.mul(im, scale);
          scales += 4;
        }
        put(at, re, im);
      }
    }
  }
}

/** x = field; or, unless `scales` is 0, x[n] += scales[n] field[n]. */
export function fftStore(field: usize, scales: usize, x: usize, tokens: Tokens): void {
  const apart: usize = tokens.apart, step: usize = tokens.step;
  for (let a = 0; a < tokens.depth; a++) {
    for (let b = 0; b < tokens.rows; b++) {
      let at = field + <usize>a * tokens.planeStride + <usize>b * tokens.rowStride;
      for (let n = 0; n < tokens.columns; n++, x += step, at += 32) {
        let re = v128.load(at), im = v128.load(at, 16);
        if (scales) {
          const scale = v128.load32_splat(scales);
          re = f32x4.add(take(x, tokens.real), f32x4.mul(re, scale));
          im = f32x4.add(take(x + apart, tokens.imaginary), f32x4.mul(im, scale));
          scales += 4;
        }
        give(x, re, tokens.real);
        give(x + apart, im, tokens.imaginary);
      }
    }
  }
}

/** sums[n] += x[n] . field[n] */
export function fftDot(x: usize, field: usize, sums: usize, tokens: Tokens): void {
  const apart: usize = tokens.apart, step: usize = tokens.step;
  for (let a = 0; a < tokens.depth; a++) {
    for (let b = 0; b < tokens.rows; b++) {
      let at = field + <usize>a * tokens.planeStride + <usize>b * tokens.rowStride;
      for (let n = 0; n < tokens.columns; n++, x += step, at += 32, sums += 4) {
        const re = f32x4.mul(take(x, tokens.real), v128.load(at));
        const im = f32x4.mul(take(x + apart, tokens.imaginary), v128.load(at, 16));
        const four = f32x4.add(re, im);
        const two = f32x4.add(four, v128.shuffle<f32>(four, four, 2, 3, 0, 1));
        const one = f32x4.extract_lane(two, 0) + f32x4.extract_lane(two, 1);
        store<f32>(sums, load<f32>(sums) + one);
      }
    }
  }
}

/** The first `count` of four numbers, and zeros. */
@inline
function take(at: usize, count: i32): v128 {
  if (count >= 4) return v128.load(at);
  let x = f32x4.splat(0);
  if (count > 0) x = v128.load32_lane(at, x, 0);
  if (count > 1) x = v128.load32_lane(at + 4, x, 1);
  if (count > 2) x = v128.load32_lane(at + 8, x, 2);
  return x;
}

@inline
function give(at: usize, x: v128, count: i32): void {
  if (count >= 4) {
    v128.store(at, x);
    return;
  }
  if (count > 0) v128.store32_lane(at, x, 0);
  if (count > 1) v128.store32_lane(at + 4, x, 1);
  if (count > 2) v128.store32_lane(at + 8, x, 2);
}

@inline
function put(p: usize, re: v128, im: v128): void {
  v128.store(p, re);
  v128.store(p, im, 16);
}
