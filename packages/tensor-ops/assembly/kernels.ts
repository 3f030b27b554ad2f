// AssemblyScript: kernels that run on the memory of tfjs' wasm backend. `pnpm assemble` compiles this folder into
// src/kernels/wasm/simd.generated.ts. All pointers are bytes into that memory; nothing here allocates.

/** Product of two batches of matrices: a [G, M, K], b [G, K, N] -> out [G, M, N], row-major float32. */
export function batchMatMul(a: usize, b: usize, out: usize, groups: i32, rows: i32, inner: i32, columns: i32): void {
  const aBytes: usize = (<usize>rows * inner) << 2;
  const bBytes: usize = (<usize>inner * columns) << 2;
  const outBytes: usize = (<usize>rows * columns) << 2;
  for (let g = 0; g < groups; g++) {
    let row = 0;
    for (; row + 4 <= rows; row += 4) fourRows(a, b, out, row, inner, columns);
    for (; row < rows; row++) oneRow(a, b, out, row, inner, columns);
    a += aBytes;
    b += bBytes;
    out += outBytes;
  }
}

/** Rows row to row+3 of the product, in tiles of 8 columns that stay in registers; what is left goes column by column. */
@inline
function fourRows(a: usize, b: usize, out: usize, row: i32, inner: i32, columns: i32): void {
  const aStep: usize = (<usize>inner) << 2;
  const step: usize = (<usize>columns) << 2;
  const a0 = a + <usize>row * aStep;
  const out0 = out + <usize>row * step;
  let column = 0;
  for (; column + 8 <= columns; column += 8) {
    let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
    let at = a0;
    let bt = b + ((<usize>column) << 2);
    for (let k = 0; k < inner; k++) {
      const b0 = v128.load(bt);
      const b1 = v128.load(bt, 16);
      let x = v128.load32_splat(at);
      s00 = f32x4.add(s00, f32x4.mul(x, b0));
      s01 = f32x4.add(s01, f32x4.mul(x, b1));
      x = v128.load32_splat(at + aStep);
      s10 = f32x4.add(s10, f32x4.mul(x, b0));
      s11 = f32x4.add(s11, f32x4.mul(x, b1));
      x = v128.load32_splat(at + (aStep << 1));
      s20 = f32x4.add(s20, f32x4.mul(x, b0));
      s21 = f32x4.add(s21, f32x4.mul(x, b1));
      x = v128.load32_splat(at + aStep * 3);
      s30 = f32x4.add(s30, f32x4.mul(x, b0));
      s31 = f32x4.add(s31, f32x4.mul(x, b1));
      at += 4;
      bt += step;
    }
    let to = out0 + ((<usize>column) << 2);
    v128.store(to, s00);
    v128.store(to, s01, 16);
    to += step;
    v128.store(to, s10);
    v128.store(to, s11, 16);
    to += step;
    v128.store(to, s20);
    v128.store(to, s21, 16);
    to += step;
    v128.store(to, s30);
    v128.store(to, s31, 16);
  }
  for (; column < columns; column++) {
    for (let r = 0; r < 4; r++) dot(a0 + <usize>r * aStep, b, out0 + <usize>r * step, column, inner, step);
  }
}

/** One row of the product, four columns at a time. */
@inline
function oneRow(a: usize, b: usize, out: usize, row: i32, inner: i32, columns: i32): void {
  const step: usize = (<usize>columns) << 2;
  const from = a + ((<usize>row * inner) << 2);
  const to = out + <usize>row * step;
  let column = 0;
  for (; column + 4 <= columns; column += 4) {
    let sum = f32x4.splat(0);
    let at = from;
    let bt = b + ((<usize>column) << 2);
    for (let k = 0; k < inner; k++) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(at), v128.load(bt)));
      at += 4;
      bt += step;
    }
    v128.store(to + ((<usize>column) << 2), sum);
  }
  for (; column < columns; column++) dot(from, b, to, column, inner, step);
}

/** One value of the product. */
@inline
function dot(at: usize, b: usize, to: usize, column: i32, inner: i32, step: usize): void {
  let bt = b + ((<usize>column) << 2);
  let sum: f32 = 0;
  for (let k = 0; k < inner; k++) {
    sum += load<f32>(at) * load<f32>(bt);
    at += 4;
    bt += step;
  }
  store<f32>(to + ((<usize>column) << 2), sum);
}

/**
 * Adds one tap's share of the filter gradient of a depthwise convolution without multiplier over one row of the output:
 * `sums[c] += sum over columns of x[column * stride, c] * dy[column, c]`.
 *
 * x and dy point at the channels of the first column that the tap reaches.
 */
export function addRowProducts(x: usize, dy: usize, sums: usize, count: i32, channels: i32, stride: i32): void {
  const dyStep: usize = (<usize>channels) << 2;
  const xStep: usize = dyStep * stride;
  let c = 0;
  for (; c + 4 <= channels; c += 4) {
    let at = x + ((<usize>c) << 2);
    let to = dy + ((<usize>c) << 2);
    let sum = f32x4.splat(0);
    for (let column = 0; column < count; column++) {
      sum = f32x4.add(sum, f32x4.mul(v128.load(at), v128.load(to)));
      at += xStep;
      to += dyStep;
    }
    const total = sums + ((<usize>c) << 2);
    v128.store(total, f32x4.add(v128.load(total), sum));
  }
  for (; c < channels; c++) {
    let at = x + ((<usize>c) << 2);
    let to = dy + ((<usize>c) << 2);
    let sum: f32 = 0;
    for (let column = 0; column < count; column++) {
      sum += load<f32>(at) * load<f32>(to);
      at += xStep;
      to += dyStep;
    }
    const total = sums + ((<usize>c) << 2);
    store<f32>(total, load<f32>(total) + sum);
  }
}
