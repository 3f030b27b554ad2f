// Fast Fourier transforms of maps, for correlations with tables as large as the map: log-linear in its positions.
//
// A field is a map of complex numbers for eight channels at once: each position has two vectors of four lanes, real parts
// and, 16 bytes on, imaginary parts. Two real channels share a complex lane, which is right wherever both are to be
// multiplied by the same spectrum of a real table: what stays apart before the transform stays apart after its inverse.
// Lanes never mix, so there are no shuffles, and all lines of a field are transformed alike whatever their direction.
//
// Forward transforms leave the frequencies in the order in which decimation finds them, inverse ones begin with that order:
// products of spectra need no other. Lengths are 2^a, 2^a 3, 2^a 5 and 2^a 7; the odd factor comes last and needs no
// twiddles. Where the second half of a line is zero padding it is neither read nor, on the way back, written.

import { oddStage } from './fftOdd';

/** The lines of a field along one axis. Distances are in bytes, in a field and, `compact`, in elements of a spectrum. */
@unmanaged
class Lines {
  /** of the transform */
  length: i32;
  /** positions that are not padding: `length`, or at most half of it */
  size: i32;
  stride: i32;
  inner: i32;
  innerStride: i32;
  outer: i32;
  outerStride: i32;
  compactStride: i32;
  compactInner: i32;
  compactOuter: i32;
  /** for each stage of radix 4, the largest first, and then of radix 2: cos, -sin of each twiddle */
  twiddles: i32;
}

/** How many neighbouring lines are transformed together, so that they share twiddles and stay in the first cache. */
@inline
function linesAtOnce(length: i32): i32 {
  return length <= 128 ? 4 : length <= 512 ? 2 : 1;
}

/** Transforms the lines of a field in place; where `size < length`, reads the first `size` positions only. */
export function fftForward(field: usize, lines: Lines): void {
  const step = linesAtOnce(lines.length);
  const stride: usize = lines.stride, next: usize = lines.innerStride;
  for (let o = 0; o < lines.outer; o++) {
    for (let i = 0; i < lines.inner; i += step) {
      const at = field + <usize>o * lines.outerStride + <usize>i * lines.innerStride;
      forwardLines(at, stride, next, at, stride, next, lines, min(step, lines.inner - i));
    }
  }
}

/** Its inverse times the length; where `size < length`, only the first `size` positions are right. */
export function fftInverse(field: usize, lines: Lines): void {
  const step = linesAtOnce(lines.length);
  const stride: usize = lines.stride, next: usize = lines.innerStride;
  for (let o = 0; o < lines.outer; o++) {
    for (let i = 0; i < lines.inner; i += step) {
      const at = field + <usize>o * lines.outerStride + <usize>i * lines.innerStride;
      inverseLines(at, stride, next, at, stride, next, lines, min(step, lines.inner - i));
    }
  }
}

/**
 * `target = inverse of (conj(spectrum) signal)` along lines: the last axis to be transformed is the first one back, so
 * that the products never leave the cache. `wide`: the spectrum has a value for each lane. `scratch` is for
 * {@link fftScratch} bytes; of target, the first `size` positions are written.
 */
export function fftInverseProduct(
  signal: usize, spectrum: usize, target: usize, wide: bool, scratch: usize, lines: Lines,
): void {
  const step = linesAtOnce(lines.length);
  const shift: usize = wide ? 5 : 3;
  const row: usize = <usize>step << 5;
  for (let o = 0; o < lines.outer; o++) {
    for (let i = 0; i < lines.inner; i += step) {
      const count = min(step, lines.inner - i);
      const offset = <usize>o * lines.outerStride + <usize>i * lines.innerStride;
      const weights = spectrum + ((<usize>o * lines.compactOuter + <usize>i * lines.compactInner) << shift);
      if (wide) multiplyLines(signal + offset, weights, scratch, row, count, true, lines);
      else multiplyLines(signal + offset, weights, scratch, row, count, false, lines);
      inverseLines(scratch, row, 32, target + offset, lines.stride, lines.innerStride, lines, count);
    }
  }
}

/** Bytes for the lines that are transformed together. */
export function fftScratch(length: i32): i32 {
  return length * linesAtOnce(length) * 32;
}

/** scratch = conj(weights) signal */
@inline
function multiplyLines(
  signal: usize, weights: usize, scratch: usize, row: usize, count: i32, wide: bool, lines: Lines,
): void {
  const shift: usize = wide ? 5 : 3;
  const stride: usize = lines.stride, next: usize = lines.innerStride;
  const across = (<usize>lines.compactInner) << shift, along = (<usize>lines.compactStride) << shift;
  for (let f = 0; f < lines.length; f++) {
    let at = signal, w = weights, to = scratch;
    for (let t = 0; t < count; t++) {
      const re = v128.load(at), im = v128.load(at, 16);
      const wRe = wide ? v128.load(w) : v128.load32_splat(w);
      const wIm = wide ? v128.load(w, 16) : v128.load32_splat(w, 4);
      put(to, turnedRe(re, im, wRe, wIm), turnedIm(re, im, wRe, wIm));
      at += next;
      w += across;
      to += 32;
    }
    signal += stride;
    weights += along;
    scratch += row;
  }
}

/**
 * Transforms the lines of a field and, while they are in the cache, uses them for both gradients:
 * `sum += spectrum field` and `cross += conj(field) other`, the latter summed over the lanes unless `wide`. The field
 * itself stays as it is.
 */
export function fftForwardProducts(
  field: usize, spectrum: usize, sum: usize, other: usize, cross: usize, wide: bool, scratch: usize, lines: Lines,
): void {
  const step = linesAtOnce(lines.length);
  const shift: usize = wide ? 5 : 3;
  const row: usize = <usize>step << 5;
  for (let o = 0; o < lines.outer; o++) {
    for (let i = 0; i < lines.inner; i += step) {
      const count = min(step, lines.inner - i);
      const offset = <usize>o * lines.outerStride + <usize>i * lines.innerStride;
      forwardLines(field + offset, lines.stride, lines.innerStride, scratch, row, 32, lines, count);
      const compact = (<usize>o * lines.compactOuter + <usize>i * lines.compactInner) << shift;
      if (wide) addLines(scratch, row, spectrum + compact, sum + offset, other + offset, cross + compact, count, true, lines);
      else addLines(scratch, row, spectrum + compact, sum + offset, other + offset, cross + compact, count, false, lines);
    }
  }
}

@inline
function addLines(
  scratch: usize, row: usize, spectrum: usize, sum: usize, other: usize, cross: usize, count: i32, wide: bool, lines: Lines,
): void {
  const shift: usize = wide ? 5 : 3;
  const stride: usize = lines.stride, next: usize = lines.innerStride;
  const across = (<usize>lines.compactInner) << shift, along = (<usize>lines.compactStride) << shift;
  for (let f = 0; f < lines.length; f++) {
    let from = scratch, at: usize = 0, w: usize = 0;
    for (let t = 0; t < count; t++) {
      const re = v128.load(from), im = v128.load(from, 16);
      addProduct(sum + at, spectrum + w, wide, re, im);
      addConjugate(cross + w, other + at, wide, re, im);
      from += 32;
      at += next;
      w += across;
    }
    scratch += row;
    sum += stride;
    other += stride;
    spectrum += along;
    cross += along;
  }
}

/** Adds (re + i im) w to a position of a field. */
@inline
function addProduct(to: usize, w: usize, wide: bool, re: v128, im: v128): void {
  const wRe = wide ? v128.load(w) : v128.load32_splat(w);
  const wIm = wide ? v128.load(w, 16) : v128.load32_splat(w, 4);
  v128.store(to, f32x4.add(v128.load(to), f32x4.sub(f32x4.mul(re, wRe), f32x4.mul(im, wIm))));
  v128.store(to, f32x4.add(v128.load(to, 16), f32x4.add(f32x4.mul(re, wIm), f32x4.mul(im, wRe))), 16);
}

/** Adds (re - i im) x, or the sum of its lanes, to an element of a spectrum. */
@inline
function addConjugate(to: usize, x: usize, wide: bool, re: v128, im: v128): void {
  const xRe = v128.load(x), xIm = v128.load(x, 16);
  const pRe = turnedRe(xRe, xIm, re, im), pIm = turnedIm(xRe, xIm, re, im);
  if (wide) {
    put(to, f32x4.add(v128.load(to), pRe), f32x4.add(v128.load(to, 16), pIm));
  } else {
    // re0 + re2, re1 + re3, im0 + im2, im1 + im3; then those two by two.
    const pairs = f32x4.add(v128.shuffle<f32>(pRe, pIm, 0, 1, 4, 5), v128.shuffle<f32>(pRe, pIm, 2, 3, 6, 7));
    const both = f32x4.add(v128.shuffle<f32>(pairs, pairs, 0, 2, 0, 2), v128.shuffle<f32>(pairs, pairs, 1, 3, 1, 3));
    v128.store64_lane(to, f32x4.add(v128.load64_zero(to), both), 0);
  }
}

/** Transforms neighbouring lines from one place to another, or in place. */
function forwardLines(
  from: usize, fromStride: usize, fromStep: usize, to: usize, stride: usize, step: usize, lines: Lines, count: i32,
): void {
  let n = lines.length;
  let blocks = 1;
  let w: usize = lines.twiddles;
  if (lines.size < n) {
    forward4Padded(from, fromStride, fromStep, to, stride, step, n >> 2, lines.size, count, w);
    w += <usize>(n >> 2) * 24;
    n >>= 2;
    blocks = 4;
  } else if (from != to) {
    copyLines(from, fromStride, fromStep, to, stride, step, n, count);
  }
  while ((n & 3) == 0) {
    forward4(to, n, blocks, stride, count, step, w);
    w += <usize>(n >> 2) * 24;
    n >>= 2;
    blocks <<= 2;
  }
  if ((n & 1) == 0) {
    forward2(to, n, blocks, stride, count, step, w);
    n >>= 1;
    blocks <<= 1;
  }
  if (n > 1) oddStage(to, n, blocks, stride, count, step, false);
}

/** The inverse of neighbouring lines, in place up to the last stage, which goes to another place, or the same. */
function inverseLines(
  from: usize, stride: usize, step: usize, to: usize, toStride: usize, toStep: usize, lines: Lines, count: i32,
): void {
  let odd = lines.length;
  let w: usize = lines.twiddles;
  while ((odd & 3) == 0) {
    w += <usize>(odd >> 2) * 24;
    odd >>= 2;
  }
  const even = (odd & 1) == 0;
  if (even) odd >>= 1;
  let n = odd;
  let blocks = lines.length / odd;
  if (n > 1) oddStage(from, n, blocks, stride, count, step, true);
  if (even) {
    n <<= 1;
    blocks >>= 1;
    inverse2(from, n, blocks, stride, count, step, w);
  }
  const padded = lines.size < lines.length;
  while (blocks > (padded ? 4 : 1)) {
    w -= <usize>n * 24;
    n <<= 2;
    blocks >>= 2;
    inverse4(from, n, blocks, stride, count, step, w);
  }
  if (padded) inverse4Padded(from, stride, step, to, toStride, toStep, n, lines.size, count, w - <usize>n * 24);
  else if (from != to) copyLines(from, stride, step, to, toStride, toStep, n, count);
}

@inline
function copyLines(
  from: usize, fromStride: usize, fromStep: usize, to: usize, toStride: usize, toStep: usize, length: i32, count: i32,
): void {
  for (let f = 0, p = from, q = to; f < length; f++, p = from += fromStride, q = to += toStride) {
    for (let t = 0; t < count; t++, p += fromStep, q += toStep) put(q, v128.load(p), v128.load(p, 16));
  }
}

/** Radix 4 over `blocks` blocks of n positions: y_k = (a + (-i)^k b + (-1)^k c + i^k d) w^k. */
@inline
function forward4(base: usize, n: i32, blocks: i32, stride: usize, count: i32, step: usize, w: usize): void {
  const m = n >> 2;
  const q: usize = <usize>m * stride;
  for (let j = 0; j < m; j++, w += 24) {
    const w1r = v128.load32_splat(w), w1i = v128.load32_splat(w, 4);
    const w2r = v128.load32_splat(w, 8), w2i = v128.load32_splat(w, 12);
    const w3r = v128.load32_splat(w, 16), w3i = v128.load32_splat(w, 20);
    for (let s = 0; s < blocks; s++) {
      let p = base + <usize>(s * n + j) * stride;
      for (let t = 0; t < count; t++, p += step) {
        const p1 = p + q, p2 = p1 + q, p3 = p2 + q;
        const ar = v128.load(p), ai = v128.load(p, 16), cr = v128.load(p2), ci = v128.load(p2, 16);
        const br = v128.load(p1), bi = v128.load(p1, 16), dr = v128.load(p3), di = v128.load(p3, 16);
        const acr = f32x4.add(ar, cr), aci = f32x4.add(ai, ci), bdr = f32x4.add(br, dr), bdi = f32x4.add(bi, di);
        v128.store(p, f32x4.add(acr, bdr));
        v128.store(p, f32x4.add(aci, bdi), 16);
        const amr = f32x4.sub(ar, cr), ami = f32x4.sub(ai, ci), bmr = f32x4.sub(br, dr), bmi = f32x4.sub(bi, di);
        if (j == 0) {
          put(p2, f32x4.sub(acr, bdr), f32x4.sub(aci, bdi));
          put(p1, f32x4.add(amr, bmi), f32x4.sub(ami, bmr));
          put(p3, f32x4.sub(amr, bmi), f32x4.add(ami, bmr));
        } else {
          putProduct(p2, f32x4.sub(acr, bdr), f32x4.sub(aci, bdi), w2r, w2i);
          putProduct(p1, f32x4.add(amr, bmi), f32x4.sub(ami, bmr), w1r, w1i);
          putProduct(p3, f32x4.sub(amr, bmi), f32x4.add(ami, bmr), w3r, w3i);
        }
      }
    }
  }
}

/** The first stage where the second half, c and d, and what lies beyond `size` are zero. */
@inline
function forward4Padded(
  from: usize, fromStride: usize, fromStep: usize, to: usize, stride: usize, step: usize, m: i32, size: i32, count: i32, w: usize,
): void {
  const fromQ: usize = <usize>m * fromStride;
  const q: usize = <usize>m * stride;
  for (let j = 0; j < m; j++, w += 24, from += fromStride, to += stride) {
    const w1r = v128.load32_splat(w), w1i = v128.load32_splat(w, 4);
    const w2r = v128.load32_splat(w, 8), w2i = v128.load32_splat(w, 12);
    const w3r = v128.load32_splat(w, 16), w3i = v128.load32_splat(w, 20);
    let x = from, p = to;
    const zero = f32x4.splat(0);
    for (let t = 0; t < count; t++, x += fromStep, p += step) {
      const p1 = p + q, p2 = p1 + q, p3 = p2 + q;
      const ar = j < size ? v128.load(x) : zero, ai = j < size ? v128.load(x, 16) : zero;
      if (j + m < size) {
        const br = v128.load(x + fromQ), bi = v128.load(x + fromQ, 16);
        put(p, f32x4.add(ar, br), f32x4.add(ai, bi));
        putProduct(p1, f32x4.add(ar, bi), f32x4.sub(ai, br), w1r, w1i);
        putProduct(p2, f32x4.sub(ar, br), f32x4.sub(ai, bi), w2r, w2i);
        putProduct(p3, f32x4.sub(ar, bi), f32x4.add(ai, br), w3r, w3i);
      } else {
        put(p, ar, ai);
        putProduct(p1, ar, ai, w1r, w1i);
        putProduct(p2, ar, ai, w2r, w2i);
        putProduct(p3, ar, ai, w3r, w3i);
      }
    }
  }
}

/** Undoes {@link forward4}, times 4. */
@inline
function inverse4(base: usize, n: i32, blocks: i32, stride: usize, count: i32, step: usize, w: usize): void {
  const m = n >> 2;
  const q: usize = <usize>m * stride;
  for (let j = 0; j < m; j++, w += 24) {
    const w1r = v128.load32_splat(w), w1i = v128.load32_splat(w, 4);
    const w2r = v128.load32_splat(w, 8), w2i = v128.load32_splat(w, 12);
    const w3r = v128.load32_splat(w, 16), w3i = v128.load32_splat(w, 20);
    for (let s = 0; s < blocks; s++) {
      let p = base + <usize>(s * n + j) * stride;
      for (let t = 0; t < count; t++, p += step) {
        const p1 = p + q, p2 = p1 + q, p3 = p2 + q;
        const ar = v128.load(p), ai = v128.load(p, 16);
        let br = v128.load(p1), bi = v128.load(p1, 16);
        let cr = v128.load(p2), ci = v128.load(p2, 16);
        let dr = v128.load(p3), di = v128.load(p3, 16);
        if (j > 0) {
          const r1 = turnedRe(br, bi, w1r, w1i), r2 = turnedRe(cr, ci, w2r, w2i), r3 = turnedRe(dr, di, w3r, w3i);
          bi = turnedIm(br, bi, w1r, w1i);
          ci = turnedIm(cr, ci, w2r, w2i);
          di = turnedIm(dr, di, w3r, w3i);
          br = r1;
          cr = r2;
          dr = r3;
        }
        const acr = f32x4.add(ar, cr), aci = f32x4.add(ai, ci), bdr = f32x4.add(br, dr), bdi = f32x4.add(bi, di);
        put(p, f32x4.add(acr, bdr), f32x4.add(aci, bdi));
        put(p2, f32x4.sub(acr, bdr), f32x4.sub(aci, bdi));
        const amr = f32x4.sub(ar, cr), ami = f32x4.sub(ai, ci), bmr = f32x4.sub(br, dr), bmi = f32x4.sub(bi, di);
        put(p1, f32x4.sub(amr, bmi), f32x4.add(ami, bmr));
        put(p3, f32x4.add(amr, bmi), f32x4.sub(ami, bmr));
      }
    }
  }
}

/** The last stage where the second half is not wanted. */
@inline
function inverse4Padded(
  from: usize, stride: usize, step: usize, to: usize, toStride: usize, toStep: usize, m: i32, size: i32, count: i32, w: usize,
): void {
  const q: usize = <usize>m * stride;
  const toQ: usize = <usize>m * toStride;
  for (let j = 0; j < m; j++, w += 24, from += stride, to += toStride) {
    const w1r = v128.load32_splat(w), w1i = v128.load32_splat(w, 4);
    const w2r = v128.load32_splat(w, 8), w2i = v128.load32_splat(w, 12);
    const w3r = v128.load32_splat(w, 16), w3i = v128.load32_splat(w, 20);
    let p = from, y = to;
    for (let t = 0; t < count; t++, p += step, y += toStep) {
      const p1 = p + q, p2 = p1 + q, p3 = p2 + q;
      const ar = v128.load(p), ai = v128.load(p, 16);
      let xr = v128.load(p2), xi = v128.load(p2, 16);
      const cr = turnedRe(xr, xi, w2r, w2i), ci = turnedIm(xr, xi, w2r, w2i);
      xr = v128.load(p1);
      xi = v128.load(p1, 16);
      const br = turnedRe(xr, xi, w1r, w1i), bi = turnedIm(xr, xi, w1r, w1i);
      xr = v128.load(p3);
      xi = v128.load(p3, 16);
      const dr = turnedRe(xr, xi, w3r, w3i), di = turnedIm(xr, xi, w3r, w3i);
      if (j < size) {
        put(y, f32x4.add(f32x4.add(ar, cr), f32x4.add(br, dr)), f32x4.add(f32x4.add(ai, ci), f32x4.add(bi, di)));
      }
      if (j + m < size) {
        put(y + toQ, f32x4.sub(f32x4.sub(ar, cr), f32x4.sub(bi, di)), f32x4.add(f32x4.sub(ai, ci), f32x4.sub(br, dr)));
      }
    }
  }
}

@inline
function forward2(base: usize, n: i32, blocks: i32, stride: usize, count: i32, step: usize, w: usize): void {
  const m = n >> 1;
  const q: usize = <usize>m * stride;
  for (let j = 0; j < m; j++, w += 8) {
    const wr = v128.load32_splat(w), wi = v128.load32_splat(w, 4);
    for (let s = 0; s < blocks; s++) {
      let p = base + <usize>(s * n + j) * stride;
      for (let t = 0; t < count; t++, p += step) {
        const ar = v128.load(p), ai = v128.load(p, 16), br = v128.load(p + q), bi = v128.load(p + q, 16);
        put(p, f32x4.add(ar, br), f32x4.add(ai, bi));
        putProduct(p + q, f32x4.sub(ar, br), f32x4.sub(ai, bi), wr, wi);
      }
    }
  }
}

@inline
function inverse2(base: usize, n: i32, blocks: i32, stride: usize, count: i32, step: usize, w: usize): void {
  const m = n >> 1;
  const q: usize = <usize>m * stride;
  for (let j = 0; j < m; j++, w += 8) {
    const wr = v128.load32_splat(w), wi = v128.load32_splat(w, 4);
    for (let s = 0; s < blocks; s++) {
      let p = base + <usize>(s * n + j) * stride;
      for (let t = 0; t < count; t++, p += step) {
        const ar = v128.load(p), ai = v128.load(p, 16), xr = v128.load(p + q), xi = v128.load(p + q, 16);
        const br = turnedRe(xr, xi, wr, wi), bi = turnedIm(xr, xi, wr, wi);
        put(p, f32x4.add(ar, br), f32x4.add(ai, bi));
        put(p + q, f32x4.sub(ar, br), f32x4.sub(ai, bi));
      }
    }
  }
}

@inline
function put(p: usize, re: v128, im: v128): void {
  v128.store(p, re);
  v128.store(p, im, 16);
}

/** Stores (re + i im) w. */
@inline
function putProduct(p: usize, re: v128, im: v128, wRe: v128, wIm: v128): void {
  v128.store(p, f32x4.sub(f32x4.mul(re, wRe), f32x4.mul(im, wIm)));
  v128.store(p, f32x4.add(f32x4.mul(re, wIm), f32x4.mul(im, wRe)), 16);
}

// Real and imaginary part of x conj(w).

@inline
function turnedRe(re: v128, im: v128, wRe: v128, wIm: v128): v128 {
  return f32x4.add(f32x4.mul(re, wRe), f32x4.mul(im, wIm));
}

@inline
function turnedIm(re: v128, im: v128, wRe: v128, wIm: v128): v128 {
  return f32x4.sub(f32x4.mul(im, wRe), f32x4.mul(re, wIm));
}
