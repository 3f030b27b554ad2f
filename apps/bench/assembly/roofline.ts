// AssemblyScript: what wasm with SIMD can do at best on one thread. `pnpm --filter @saccade/bench run assemble` compiles this
// file into src/device/roofline/simd.generated.ts.

/** Copies `bytes`, a multiple of 64, as kernels do: through registers. */
export function copy(from: usize, to: usize, bytes: usize): void {
  for (let end = from + bytes; from < end; from += 64, to += 64) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    v128.store(to, v128.load(from, 32), 32);
    v128.store(to, v128.load(from, 48), 48);
  }
}

/**
 * Steps of 12 independent chains x := x m + 1, as many as keep the multipliers and the adders busy and fit into 16
 * registers. The sum, so that none is left out.
 */
export function multiplyAdd(steps: i32, m: f32): f32 {
  const factor = f32x4.splat(m);
  const one = f32x4.splat(1);
  let a = f32x4.splat(0), b = f32x4.splat(1), c = f32x4.splat(2), d = f32x4.splat(3);
  let e = f32x4.splat(4), f = f32x4.splat(5), g = f32x4.splat(6), h = f32x4.splat(7);
  let i = f32x4.splat(8), j = f32x4.splat(9), k = f32x4.splat(10), l = f32x4.splat(11);
  for (let step = 0; step < steps; step++) {
    a = f32x4.add(f32x4.mul(a, factor), one);
    b = f32x4.add(f32x4.mul(b, factor), one);
    c = f32x4.add(f32x4.mul(c, factor), one);
    d = f32x4.add(f32x4.mul(d, factor), one);
    e = f32x4.add(f32x4.mul(e, factor), one);
    f = f32x4.add(f32x4.mul(f, factor), one);
    g = f32x4.add(f32x4.mul(g, factor), one);
    h = f32x4.add(f32x4.mul(h, factor), one);
    i = f32x4.add(f32x4.mul(i, factor), one);
    j = f32x4.add(f32x4.mul(j, factor), one);
    k = f32x4.add(f32x4.mul(k, factor), one);
    l = f32x4.add(f32x4.mul(l, factor), one);
  }
  a = f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(f32x4.add(e, f), f32x4.add(g, h)));
  a = f32x4.add(a, f32x4.add(f32x4.add(i, j), f32x4.add(k, l)));
  return f32x4.extract_lane(a, 0) + f32x4.extract_lane(a, 1) + f32x4.extract_lane(a, 2) + f32x4.extract_lane(a, 3);
}
