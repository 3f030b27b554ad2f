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
  for (let o = 0; o < lines.outer; o++) {
    for (let i = 0; i < lines.inner; i += step) {
      const base = field + <usize>o * lines.outerStride + <usize>i * lines.innerStride;
      forwardLines(base, lines, min(step, lines.inner - i));
    }
  }
}

/** Its inverse times the length; where `size < length`, only the first `size` positions are right. */
export function fftInverse(field: usize, lines: Lines): void {
  const step = linesAtOnce(lines.length);
  for (let o = 0; o < lines.outer; o++) {
    for (let i = 0; i < lines.inner; i += step) {
      const base = field + <usize>o * lines.outerStride + <usize>i * lines.innerStride;
      inverseLines(base, lines, min(step, lines.inner - i));
    }
  }
}

/**
 * `target = inverse of (conj(spectrum) signal)` along lines: the last axis to be transformed is the first one back, so
 * that the products never leave the cache. `wide`: the spectrum has a value for each lane.
 */
export function fftInverseProduct(signal: usize, spectrum: usize, target: usize, wide: bool, lines: Lines): void {
  const step = linesAtOnce(lines.length);
  const shift: usize = wide ? 5 : 3;
  for (let o = 0; o < lines.outer; o++) {
    for (let i = 0; i < lines.inner; i += step) {
      const count = min(step, lines.inner - i);
      const offset = <usize>o * lines.outerStride + <usize>i * lines.innerStride;
      let weights = spectrum + ((<usize>o * lines.compactOuter + <usize>i * lines.compactInner) << shift);
      let row = offset;
      for (let f = 0; f < lines.length; f++) {
        let at = row;
        let w = weights;
        for (let t = 0; t < count; t++) {
          const re = v128.load(signal + at);
          const im = v128.load(signal + at, 16);
          const wRe = wide ? v128.load(w) : v128.load32_splat(w);
          const wIm = wide ? v128.load(w, 16) : v128.load32_splat(w, 4);
          v128.store(target + at, f32x4.add(f32x4.mul(re, wRe), f32x4.mul(im, wIm)));
          v128.store(target + at, f32x4.sub(f32x4.mul(im, wRe), f32x4.mul(re, wIm)), 16);
          at += lines.innerStride;
          w += (<usize>lines.compactInner) << shift;
        }
        row += lines.stride;
        weights += (<usize>lines.compactStride) << shift;
      }
      inverseLines(target + offset, lines, count);
    }
  }
}

/**
 * Transforms the lines of a field and, while they are in the cache, uses them for both gradients:
 * `sum += spectrum field` and `cross += conj(field) other`, the latter summed over the lanes unless `wide`.
 * With `sum` or `cross` 0, that one is left out.
 */
export function fftForwardProducts(
  field: usize, spectrum: usize, sum: usize, other: usize, cross: usize, wide: bool, lines: Lines,
): void {
  const step = linesAtOnce(lines.length);
  const shift: usize = wide ? 5 : 3;
  for (let o = 0; o < lines.outer; o++) {
    for (let i = 0; i < lines.inner; i += step) {
      const count = min(step, lines.inner - i);
      const offset = <usize>o * lines.outerStride + <usize>i * lines.innerStride;
      forwardLines(field + offset, lines, count);
      let compact = (<usize>o * lines.compactOuter + <usize>i * lines.compactInner) << shift;
      let row = offset;
      for (let f = 0; f < lines.length; f++) {
        let at = row;
        let w = compact;
        for (let t = 0; t < count; t++) {
          const re = v128.load(field + at);
          const im = v128.load(field + at, 16);
          if (sum) addProduct(sum + at, spectrum + w, wide, re, im);
          if (cross) addConjugate(cross + w, other + at, wide, re, im);
          at += lines.innerStride;
          w += (<usize>lines.compactInner) << shift;
        }
        row += lines.stride;
        compact += (<usize>lines.compactStride) << shift;
      }
    }
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
  const xRe = v128.load(x);
  const xIm = v128.load(x, 16);
  const pRe = f32x4.add(f32x4.mul(re, xRe), f32x4.mul(im, xIm));
  const pIm = f32x4.sub(f32x4.mul(re, xIm), f32x4.mul(im, xRe));
  if (wide) {
    v128.store(to, f32x4.add(v128.load(to), pRe));
    v128.store(to, f32x4.add(v128.load(to, 16), pIm), 16);
    return;
  }
  // re0 + re1, re2 + re3, im0 + im1, im2 + im3, in two steps.
  const pairs = f32x4.add(v128.shuffle<f32>(pRe, pIm, 0, 2, 4, 6), v128.shuffle<f32>(pRe, pIm, 1, 3, 5, 7));
  const both = f32x4.add(v128.shuffle<f32>(pairs, pairs, 0, 2, 0, 2), v128.shuffle<f32>(pairs, pairs, 1, 3, 1, 3));
  v128.store64_lane(to, f32x4.add(v128.load64_zero(to), both), 0);
}

function forwardLines(base: usize, lines: Lines, count: i32): void {
  const stride: usize = lines.stride;
  const step: usize = lines.innerStride;
  let n = lines.length;
  let blocks = 1;
  let w: usize = lines.twiddles;
  if (lines.size < n) {
    forward4Padded(base, n >> 2, lines.size, stride, count, step, w);
    w += <usize>(n >> 2) * 24;
    n >>= 2;
    blocks = 4;
  }
  while ((n & 3) == 0) {
    forward4(base, n, blocks, stride, count, step, w);
    w += <usize>(n >> 2) * 24;
    n >>= 2;
    blocks <<= 2;
  }
  if ((n & 1) == 0) {
    forward2(base, n, blocks, stride, count, step, w);
    n >>= 1;
    blocks <<= 1;
  }
  if (n > 1) oddStage(base, n, blocks, stride, count, step, false);
}

function inverseLines(base: usize, lines: Lines, count: i32): void {
  const stride: usize = lines.stride;
  const step: usize = lines.innerStride;
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
  if (n > 1) oddStage(base, n, blocks, stride, count, step, true);
  if (even) {
    n <<= 1;
    blocks >>= 1;
    inverse2(base, n, blocks, stride, count, step, w);
  }
  const padded = lines.size < lines.length;
  while (blocks > (padded ? 4 : 1)) {
    w -= <usize>n * 24;
    n <<= 2;
    blocks >>= 2;
    inverse4(base, n, blocks, stride, count, step, w);
  }
  if (padded) inverse4Padded(base, n, lines.size, stride, count, step, w - <usize>n * 24);
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
function forward4Padded(base: usize, m: i32, size: i32, stride: usize, count: i32, step: usize, w: usize): void {
  const q: usize = <usize>m * stride;
  for (let j = 0; j < m; j++, w += 24) {
    const w1r = v128.load32_splat(w), w1i = v128.load32_splat(w, 4);
    const w2r = v128.load32_splat(w, 8), w2i = v128.load32_splat(w, 12);
    const w3r = v128.load32_splat(w, 16), w3i = v128.load32_splat(w, 20);
    let p = base + <usize>j * stride;
    const zero = f32x4.splat(0);
    for (let t = 0; t < count; t++, p += step) {
      const p1 = p + q, p2 = p1 + q, p3 = p2 + q;
      const ar = j < size ? v128.load(p) : zero, ai = j < size ? v128.load(p, 16) : zero;
      if (j + m < size) {
        const br = v128.load(p1), bi = v128.load(p1, 16);
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
function inverse4Padded(base: usize, m: i32, size: i32, stride: usize, count: i32, step: usize, w: usize): void {
  const q: usize = <usize>m * stride;
  for (let j = 0; j < m; j++, w += 24) {
    const w1r = v128.load32_splat(w), w1i = v128.load32_splat(w, 4);
    const w2r = v128.load32_splat(w, 8), w2i = v128.load32_splat(w, 12);
    const w3r = v128.load32_splat(w, 16), w3i = v128.load32_splat(w, 20);
    let p = base + <usize>j * stride;
    for (let t = 0; t < count; t++, p += step) {
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
      put(p, f32x4.add(f32x4.add(ar, cr), f32x4.add(br, dr)), f32x4.add(f32x4.add(ai, ci), f32x4.add(bi, di)));
      if (j + m < size) {
        put(p1, f32x4.sub(f32x4.sub(ar, cr), f32x4.sub(bi, di)), f32x4.add(f32x4.sub(ai, ci), f32x4.sub(br, dr)));
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

/** The odd factor: `blocks` transforms of 3, 5 or 7 neighbouring positions. */
@inline
function oddStage(base: usize, n: i32, blocks: i32, stride: usize, count: i32, step: usize, inverse: bool): void {
  const block = stride * <usize>n;
  for (let s = 0; s < blocks; s++, base += block) {
    let p = base;
    for (let t = 0; t < count; t++, p += step) {
      // The inverse is the transform with the results in the opposite order.
      const first = inverse ? p + block - stride : p + stride;
      const next = inverse ? 0 - stride : stride;
      if (n == 3) three(p, stride, first, next);
      else if (n == 5) five(p, stride, first, next);
      else seven(p, stride, first, next);
    }
  }
}

// With t_j = x_j + x_(n-j) and u_j = x_j - x_(n-j): y_k = x_0 + sum_j cos(2 pi jk/n) t_j - i sum_j sin(2 pi jk/n) u_j, and
// y_(n-k) the same with a plus. y_k goes to first + (k - 1) next.

@inline
function three(p: usize, stride: usize, first: usize, next: usize): void {
  const c = f32x4.splat(-0.5), s = f32x4.splat(0.8660254037844386);
  const p1 = p + stride, p2 = p1 + stride;
  const ar = v128.load(p), ai = v128.load(p, 16);
  const br = v128.load(p1), bi = v128.load(p1, 16), cr = v128.load(p2), ci = v128.load(p2, 16);
  const tr = f32x4.add(br, cr), ti = f32x4.add(bi, ci);
  const ur = f32x4.mul(s, f32x4.sub(br, cr)), ui = f32x4.mul(s, f32x4.sub(bi, ci));
  put(p, f32x4.add(ar, tr), f32x4.add(ai, ti));
  const mr = f32x4.add(ar, f32x4.mul(c, tr)), mi = f32x4.add(ai, f32x4.mul(c, ti));
  put(first, f32x4.add(mr, ui), f32x4.sub(mi, ur));
  put(first + next, f32x4.sub(mr, ui), f32x4.add(mi, ur));
}

@inline
function five(p: usize, stride: usize, first: usize, next: usize): void {
  const p1 = p + stride, p2 = p1 + stride, p3 = p2 + stride, p4 = p3 + stride;
  const u1r = f32x4.sub(v128.load(p1), v128.load(p4)), u2r = f32x4.sub(v128.load(p2), v128.load(p3));
  const t1i = f32x4.add(v128.load(p1, 16), v128.load(p4, 16)), t2i = f32x4.add(v128.load(p2, 16), v128.load(p3, 16));
  const u1i = f32x4.sub(v128.load(p1, 16), v128.load(p4, 16)), u2i = f32x4.sub(v128.load(p2, 16), v128.load(p3, 16));
  const t1r = f32x4.add(v128.load(p1), v128.load(p4)), t2r = f32x4.add(v128.load(p2), v128.load(p3));
  fiveParts(p, first, next, v128.load(p), t1r, t2r, u1i, u2i);
  // The imaginary parts are those of the turned numbers: -i (re + i im) = im - i re.
  fiveParts(p + 16, first + 16, next, v128.load(p, 16), t1i, t2i, f32x4.neg(u1r), f32x4.neg(u2r));
}

@inline
function fiveParts(p: usize, first: usize, next: usize, a: v128, t1: v128, t2: v128, u1: v128, u2: v128): void {
  const c1 = f32x4.splat(0.30901699437494745), c2 = f32x4.splat(-0.8090169943749475);
  const s1 = f32x4.splat(0.9510565162951535), s2 = f32x4.splat(0.5877852522924731);
  v128.store(p, f32x4.add(a, f32x4.add(t1, t2)));
  const a1 = f32x4.add(a, f32x4.add(f32x4.mul(c1, t1), f32x4.mul(c2, t2)));
  const b1 = f32x4.add(f32x4.mul(s1, u1), f32x4.mul(s2, u2));
  const a2 = f32x4.add(a, f32x4.add(f32x4.mul(c2, t1), f32x4.mul(c1, t2)));
  const b2 = f32x4.sub(f32x4.mul(s2, u1), f32x4.mul(s1, u2));
  v128.store(first, f32x4.add(a1, b1));
  v128.store(first + next, f32x4.add(a2, b2));
  v128.store(first + 2 * next, f32x4.sub(a2, b2));
  v128.store(first + 3 * next, f32x4.sub(a1, b1));
}

@inline
function seven(p: usize, stride: usize, first: usize, next: usize): void {
  const p1 = p + stride, p2 = p1 + stride, p3 = p2 + stride, p4 = p3 + stride, p5 = p4 + stride, p6 = p5 + stride;
  const u1r = f32x4.sub(v128.load(p6), v128.load(p1)), u2r = f32x4.sub(v128.load(p5), v128.load(p2));
  const u3r = f32x4.sub(v128.load(p4), v128.load(p3));
  const t1i = f32x4.add(v128.load(p1, 16), v128.load(p6, 16)), t2i = f32x4.add(v128.load(p2, 16), v128.load(p5, 16));
  const t3i = f32x4.add(v128.load(p3, 16), v128.load(p4, 16));
  const u1i = f32x4.sub(v128.load(p1, 16), v128.load(p6, 16)), u2i = f32x4.sub(v128.load(p2, 16), v128.load(p5, 16));
  const u3i = f32x4.sub(v128.load(p3, 16), v128.load(p4, 16));
  const t1r = f32x4.add(v128.load(p1), v128.load(p6)), t2r = f32x4.add(v128.load(p2), v128.load(p5));
  const t3r = f32x4.add(v128.load(p3), v128.load(p4));
  sevenParts(p, first, next, v128.load(p), t1r, t2r, t3r, u1i, u2i, u3i);
  sevenParts(p + 16, first + 16, next, v128.load(p, 16), t1i, t2i, t3i, u1r, u2r, u3r);
}

@inline
function sevenParts(
  p: usize, first: usize, next: usize, a: v128, t1: v128, t2: v128, t3: v128, u1: v128, u2: v128, u3: v128,
): void {
  const c1 = f32x4.splat(0.6234898018587336), c2 = f32x4.splat(-0.2225209339563144), c3 = f32x4.splat(-0.9009688679024191);
  const s1 = f32x4.splat(0.7818314824680298), s2 = f32x4.splat(0.9749279121818236), s3 = f32x4.splat(0.4338837391175581);
  v128.store(p, f32x4.add(f32x4.add(a, t1), f32x4.add(t2, t3)));
  let even = f32x4.add(f32x4.add(a, f32x4.mul(c1, t1)), f32x4.add(f32x4.mul(c2, t2), f32x4.mul(c3, t3)));
  let odd = f32x4.add(f32x4.mul(s1, u1), f32x4.add(f32x4.mul(s2, u2), f32x4.mul(s3, u3)));
  v128.store(first, f32x4.add(even, odd));
  v128.store(first + 5 * next, f32x4.sub(even, odd));
  even = f32x4.add(f32x4.add(a, f32x4.mul(c2, t1)), f32x4.add(f32x4.mul(c3, t2), f32x4.mul(c1, t3)));
  odd = f32x4.sub(f32x4.mul(s2, u1), f32x4.add(f32x4.mul(s3, u2), f32x4.mul(s1, u3)));
  v128.store(first + next, f32x4.add(even, odd));
  v128.store(first + 4 * next, f32x4.sub(even, odd));
  even = f32x4.add(f32x4.add(a, f32x4.mul(c3, t1)), f32x4.add(f32x4.mul(c1, t2), f32x4.mul(c2, t3)));
  odd = f32x4.add(f32x4.sub(f32x4.mul(s3, u1), f32x4.mul(s1, u2)), f32x4.mul(s2, u3));
  v128.store(first + 2 * next, f32x4.add(even, odd));
  v128.store(first + 3 * next, f32x4.sub(even, odd));
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
