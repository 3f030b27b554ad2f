// The odd factor of a length, for fft.ts: its stage comes last, with no twiddles.

/** The odd factor: `blocks` transforms of 3, 5 or 7 neighbouring positions. */
export function oddStage(base: usize, n: i32, blocks: i32, stride: usize, count: i32, step: usize, inverse: bool): void {
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
