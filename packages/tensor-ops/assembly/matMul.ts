// Products of matrices, row-major float32.
//
// The result is made in tiles of 4 rows and 8 columns whose sums stay in registers. Eight columns of b, at most `DEPTH` rows
// of them, are copied side by side first: read as they lie, each step would touch another line of the cache, and at widths
// that are powers of two the same few lines again and again. One such panel serves all rows of a.

/** Rows of b in a panel: 16 KiB of them stay in the first cache beside four rows of a. */
const DEPTH: i32 = 512;
/** Columns of a panel. */
const WIDTH: i32 = 8;
/** Below this many rows of a, a panel is read too seldom to pay for its copy. */
const FEW_ROWS: i32 = 8;

/** Bytes that `batchMatMul` needs beside its operands: a panel, and a tile for what sticks out at the right. */
export function matMulScratch(inner: i32): i32 {
  return (min(inner, DEPTH) + 4) * WIDTH * 4;
}

/** Product of two batches of matrices: a [G, M, K], b [G, K, N] -> out [G, M, N]. */
export function batchMatMul(
  a: usize,
  b: usize,
  out: usize,
  scratch: usize,
  groups: i32,
  rows: i32,
  inner: i32,
  columns: i32,
): void {
  const aBytes: usize = (<usize>rows * inner) << 2;
  const bBytes: usize = (<usize>inner * columns) << 2;
  const outBytes: usize = (<usize>rows * columns) << 2;
  for (let g = 0; g < groups; g++) {
    if (rows < FEW_ROWS) directMatMul(a, b, out, rows, inner, columns);
    else panels(a, b, out, scratch, rows, inner, columns);
    a += aBytes;
    b += bBytes;
    out += outBytes;
  }
}

/** Product of two matrices without copies, for few rows or what is in the cache anyway: a [M, K], b [K, N] -> out [M, N]. */
export function directMatMul(a: usize, b: usize, out: usize, rows: i32, inner: i32, columns: i32): void {
  const aStep: usize = (<usize>inner) << 2;
  const step: usize = (<usize>columns) << 2;
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    let column = 0;
    for (; column + WIDTH <= columns; column += WIDTH) {
      const offset: usize = (<usize>column) << 2;
      tile(a, aStep, b + offset, step, out + offset, step, inner, false);
    }
    for (let r: usize = 0; r < 4; r++) rowFrom(column, a + r * aStep, b, out + r * step, inner, columns);
    a += aStep << 2;
    out += step << 2;
  }
  for (; row < rows; row++) {
    rowFrom(0, a, b, out, inner, columns);
    a += aStep;
    out += step;
  }
}

/** One product, panel by panel of b. */
function panels(a: usize, b: usize, out: usize, panel: usize, rows: i32, inner: i32, columns: i32): void {
  const aStep: usize = (<usize>inner) << 2;
  const step: usize = (<usize>columns) << 2;
  const edge = panel + <usize>(min(inner, DEPTH) * WIDTH * 4);
  if (inner == 0) memory.fill(out, 0, <usize>rows * step);
  for (let from = 0; from < inner; from += DEPTH) {
    const depth = min(DEPTH, inner - from);
    for (let column = 0; column < columns; column += WIDTH) {
      const width = min(WIDTH, columns - column);
      const offset: usize = (<usize>column) << 2;
      pack(b + <usize>from * step + offset, panel, depth, width, step);
      let at = a + ((<usize>from) << 2);
      let to = out + offset;
      let row = 0;
      if (width == WIDTH) {
        for (; row + 4 <= rows; row += 4) {
          tile(at, aStep, panel, 32, to, step, depth, from > 0);
          at += aStep << 2;
          to += step << 2;
        }
        for (; row < rows; row++) {
          tileRow(at, panel, to, depth, from > 0);
          at += aStep;
          to += step;
        }
      } else {
        // What sticks out: a whole tile beside the result, of which only the columns that exist are copied.
        const bytes: usize = (<usize>width) << 2;
        for (; row < rows; row++) {
          if (from > 0) memory.copy(edge, to, bytes);
          tileRow(at, panel, edge, depth, from > 0);
          memory.copy(to, edge, bytes);
          at += aStep;
          to += step;
        }
      }
    }
  }
}

/** Copies `depth` rows of `width` columns side by side, with zeros up to a panel's width. */
function pack(b: usize, panel: usize, depth: i32, width: i32, step: usize): void {
  if (width == WIDTH) {
    for (let k = 0; k < depth; k++) {
      v128.store(panel, v128.load(b));
      v128.store(panel, v128.load(b, 16), 16);
      panel += 32;
      b += step;
    }
    return;
  }
  memory.fill(panel, 0, <usize>depth * 32);
  for (let k = 0; k < depth; k++) {
    for (let c = 0; c < width; c++) store<f32>(panel + ((<usize>c) << 2), load<f32>(b + ((<usize>c) << 2)));
    panel += 32;
    b += step;
  }
}

/** Four rows of a times eight columns of b, whose rows are `bStep` apart; `more`: added to what is there. */
function tile(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, step: usize, depth: i32, more: bool,
): void {
  const out1 = out + step, out2 = out1 + step, out3 = out2 + step;
  let s00 = f32x4.splat(0), s01 = s00, s10 = s00, s11 = s00, s20 = s00, s21 = s00, s30 = s00, s31 = s00;
  if (more) {
    s00 = v128.load(out);
    s01 = v128.load(out, 16);
    s10 = v128.load(out1);
    s11 = v128.load(out1, 16);
    s20 = v128.load(out2);
    s21 = v128.load(out2, 16);
    s30 = v128.load(out3);
    s31 = v128.load(out3, 16);
  }
  let a1 = a + aStep, a2 = a1 + aStep, a3 = a2 + aStep;
  for (let k = 0; k < depth; k++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    let x = v128.load32_splat(a);
    s00 = f32x4.add(s00, f32x4.mul(x, b0));
    s01 = f32x4.add(s01, f32x4.mul(x, b1));
    x = v128.load32_splat(a1);
    s10 = f32x4.add(s10, f32x4.mul(x, b0));
    s11 = f32x4.add(s11, f32x4.mul(x, b1));
    x = v128.load32_splat(a2);
    s20 = f32x4.add(s20, f32x4.mul(x, b0));
    s21 = f32x4.add(s21, f32x4.mul(x, b1));
    x = v128.load32_splat(a3);
    s30 = f32x4.add(s30, f32x4.mul(x, b0));
    s31 = f32x4.add(s31, f32x4.mul(x, b1));
    a += 4;
    a1 += 4;
    a2 += 4;
    a3 += 4;
    b += bStep;
  }
  v128.store(out, s00);
  v128.store(out, s01, 16);
  v128.store(out1, s10);
  v128.store(out1, s11, 16);
  v128.store(out2, s20);
  v128.store(out2, s21, 16);
  v128.store(out3, s30);
  v128.store(out3, s31, 16);
}

/** The same for one row. */
function tileRow(a: usize, panel: usize, out: usize, depth: i32, more: bool): void {
  let s0 = f32x4.splat(0), s1 = s0;
  if (more) {
    s0 = v128.load(out);
    s1 = v128.load(out, 16);
  }
  for (let k = 0; k < depth; k++) {
    const x = v128.load32_splat(a);
    s0 = f32x4.add(s0, f32x4.mul(x, v128.load(panel)));
    s1 = f32x4.add(s1, f32x4.mul(x, v128.load(panel, 16)));
    a += 4;
    panel += 32;
  }
  v128.store(out, s0);
  v128.store(out, s1, 16);
}

/** One row of a product, from a column on, four columns at a time. */
function rowFrom(from: i32, a: usize, b: usize, out: usize, inner: i32, columns: i32): void {
  const step: usize = (<usize>columns) << 2;
  let column = from;
  for (; column + 4 <= columns; column += 4) {
    let sum = f32x4.splat(0);
    let at = a;
    let bt = b + ((<usize>column) << 2);
    for (let k = 0; k < inner; k++) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(at), v128.load(bt)));
      at += 4;
      bt += step;
    }
    v128.store(out + ((<usize>column) << 2), sum);
  }
  for (; column < columns; column++) {
    let bt = b + ((<usize>column) << 2);
    let sum: f32 = 0;
    for (let k = 0; k < inner; k++) {
      sum += load<f32>(a + ((<usize>k) << 2)) * load<f32>(bt);
      bt += step;
    }
    store<f32>(out + ((<usize>column) << 2), sum);
  }
}
