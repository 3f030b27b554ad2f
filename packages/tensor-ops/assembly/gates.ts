// The kernels of Attention-in-Attention: reductions, small convolutions and products that are bound by memory, so that each
// reads its input once.

/** Largest value and mean along the middle axis: x [outer, length, inner] -> max, mean [outer, inner]. */
export function maxMean(x: usize, max: usize, mean: usize, outer: i32, length: i32, inner: i32): void {
  if (inner == 1) {
    for (let o = 0; o < outer; o++) {
      oneLine(x, max, mean, length);
      x += (<usize>length) << 2;
      max += 4;
      mean += 4;
    }
    return;
  }
  const row: usize = (<usize>inner) << 2;
  const share = <f32>1 / <f32>length;
  for (let o = 0; o < outer; o++) {
    let i = 0;
    for (; i + 4 <= inner; i += 4) {
      const offset = (<usize>i) << 2;
      let at = x + offset;
      let largest = v128.load(at);
      let sum = largest;
      for (let j = 1; j < length; j++) {
        at += row;
        const value = v128.load(at);
        largest = f32x4.max(largest, value);
        sum = f32x4.add(sum, value);
      }
      v128.store(max + offset, largest);
      v128.store(mean + offset, f32x4.mul(sum, f32x4.splat(share)));
    }
    for (; i < inner; i++) {
      const offset = (<usize>i) << 2;
      let at = x + offset;
      let largest = load<f32>(at);
      let sum = largest;
      for (let j = 1; j < length; j++) {
        at += row;
        const value = load<f32>(at);
        largest = f32.max(largest, value);
        sum += value;
      }
      store<f32>(max + offset, largest);
      store<f32>(mean + offset, sum * share);
    }
    x += row * length;
    max += row;
    mean += row;
  }
}

@inline
function oneLine(x: usize, max: usize, mean: usize, length: i32): void {
  let largest: f32 = load<f32>(x);
  let sum: f32 = 0;
  let j = 0;
  if (length >= 4) {
    let largest4 = v128.load(x);
    let sum4 = f32x4.splat(0);
    for (; j + 4 <= length; j += 4) {
      const values = v128.load(x + ((<usize>j) << 2));
      largest4 = f32x4.max(largest4, values);
      sum4 = f32x4.add(sum4, values);
    }
    largest = f32.max(
      f32.max(f32x4.extract_lane(largest4, 0), f32x4.extract_lane(largest4, 1)),
      f32.max(f32x4.extract_lane(largest4, 2), f32x4.extract_lane(largest4, 3)),
    );
    sum =
      f32x4.extract_lane(sum4, 0) +
      f32x4.extract_lane(sum4, 1) +
      (f32x4.extract_lane(sum4, 2) + f32x4.extract_lane(sum4, 3));
  }
  for (; j < length; j++) {
    const value = load<f32>(x + ((<usize>j) << 2));
    largest = f32.max(largest, value);
    sum += value;
  }
  store<f32>(max, largest);
  store<f32>(mean, sum / <f32>length);
}

/**
 * 3x3x3 convolution with zero padding: x [planes, batch, a, b, c], filter [3, 3, 3, planes, outputs]
 * -> out [outputs, batch, a, b, c].
 */
export function planeConv3d(
  x: usize, filter: usize, out: usize, planes: i32, outputs: i32, batch: i32, a: i32, b: i32, c: i32,
): void {
  const row: usize = (<usize>c) << 2;
  const sheet = row * b;
  const block = sheet * a;
  for (let o = 0; o < outputs; o++) {
    for (let s = 0; s < batch; s++) {
      for (let i = 0; i < a; i++) {
        for (let j = 0; j < b; j++) {
          const at = x + block * s + sheet * i + row * j;
          convolveRow(at, filter + ((<usize>o) << 2), out, planes, outputs, block * batch, i, j, a, b, c);
          out += row;
        }
      }
    }
  }
}

/** One row of the result: interior columns four at a time, the ends and what is left one by one. */
@inline
function convolveRow(
  at: usize, filter: usize, out: usize, planes: i32, outputs: i32, plane: usize, i: i32, j: i32, a: i32, b: i32, c: i32,
): void {
  const row: usize = (<usize>c) << 2;
  const sheet = row * b;
  const tap: usize = (<usize>(planes * outputs)) << 2;
  const fromU = i == 0 ? 1 : 0, toU = i == a - 1 ? 2 : 3;
  const fromV = j == 0 ? 1 : 0, toV = j == b - 1 ? 2 : 3;
  let k = 1;
  for (; k + 5 <= c; k += 4) {
    let sum = f32x4.splat(0);
    for (let u = fromU; u < toU; u++) {
      for (let v = fromV; v < toV; v++) {
        let line = at + sheet * u - sheet + row * v - row + ((<usize>k) << 2);
        let weight = filter + tap * (9 * u + 3 * v);
        for (let p = 0; p < planes; p++) {
          sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(weight), v128.load(line - 4)));
          sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(weight + tap), v128.load(line)));
          sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(weight + tap * 2), v128.load(line + 4)));
          line += plane;
          weight += (<usize>outputs) << 2;
        }
      }
    }
    v128.store(out + ((<usize>k) << 2), sum);
  }
  for (let column = 0; column < c; column++) {
    if (column == 1) column = k;
    if (column >= c) break;
    let sum: f32 = 0;
    const fromW = column == 0 ? 1 : 0, toW = column == c - 1 ? 2 : 3;
    for (let u = fromU; u < toU; u++) {
      for (let v = fromV; v < toV; v++) {
        let line = at + sheet * u - sheet + row * v - row + ((<usize>column) << 2) - 4;
        let weight = filter + tap * (9 * u + 3 * v);
        for (let p = 0; p < planes; p++) {
          for (let w = fromW; w < toW; w++) {
            sum += load<f32>(weight + tap * w) * load<f32>(line + ((<usize>w) << 2));
          }
          line += plane;
          weight += (<usize>outputs) << 2;
        }
      }
    }
    store<f32>(out + ((<usize>column) << 2), sum);
  }
}

/** Sum of products of two rows. */
@inline
function rowProduct(x: usize, y: usize, count: i32): f32 {
  let sum4 = f32x4.splat(0);
  let k = 0;
  for (; k + 4 <= count; k += 4) {
    sum4 = f32x4.add(sum4, f32x4.mul(v128.load(x), v128.load(y)));
    x += 16;
    y += 16;
  }
  let sum =
    f32x4.extract_lane(sum4, 0) +
    f32x4.extract_lane(sum4, 1) +
    (f32x4.extract_lane(sum4, 2) + f32x4.extract_lane(sum4, 3));
  for (; k < count; k++) {
    sum += load<f32>(x) * load<f32>(y);
    x += 4;
    y += 4;
  }
  return sum;
}

/** Filter gradient of planeConv3d: x [planes, batch, a, b, c], dy [outputs, batch, a, b, c], added to the float64 `sums`. */
export function planeConv3dFilter(
  x: usize, dy: usize, sums: usize, planes: i32, outputs: i32, batch: i32, a: i32, b: i32, c: i32,
): void {
  const row: usize = (<usize>c) << 2;
  const sheet = row * b;
  const block = sheet * a;
  for (let u = 0; u < 3; u++) {
    for (let v = 0; v < 3; v++) {
      for (let w = 0; w < 3; w++) {
        const fromW = w == 0 ? 1 : 0;
        const count = c - (w == 1 ? 0 : 1);
        for (let p = 0; p < planes; p++) {
          for (let o = 0; o < outputs; o++) {
            let sum: f64 = 0;
            for (let s = 0; s < batch; s++) {
              for (let i = u == 0 ? 1 : 0, endI = u == 2 ? a - 1 : a; i < endI; i++) {
                for (let j = v == 0 ? 1 : 0, endJ = v == 2 ? b - 1 : b; j < endJ; j++) {
                  const to = dy + block * (o * batch + s) + sheet * i + row * j + ((<usize>fromW) << 2);
                  const shift = sheet * u - sheet + row * v - row + ((<usize>w) << 2) - 4;
                  const at = x + block * (p * batch + s) + sheet * i + row * j + ((<usize>fromW) << 2) + shift;
                  sum += <f64>rowProduct(at, to, count);
                }
              }
            }
            store<f64>(sums, sum);
            sums += 8;
          }
        }
      }
    }
  }
}

/** `out = x * (time + height + width) / 3`; x [B, T, H, W, C], time [B, H, W, C], height [B, T, W, C], width [B, T, H, C]. */
export function axisGates(
  x: usize, time: usize, height: usize, width: usize, out: usize,
  batch: i32, frames: i32, rows: i32, columns: i32, channels: i32,
): void {
  const third = f32x4.splat(<f32>1 / <f32>3);
  const line: usize = (<usize>channels) << 2;
  for (let b = 0; b < batch; b++) {
    for (let t = 0; t < frames; t++) {
      for (let h = 0; h < rows; h++) {
        for (let w = 0; w < columns; w++) {
          const gateT = time + line * ((b * rows + h) * columns + w);
          const gateH = height + line * ((b * frames + t) * columns + w);
          const gateW = width + line * ((b * frames + t) * rows + h);
          let c: usize = 0;
          for (; c + 16 <= line; c += 16) {
            const sum = f32x4.add(f32x4.add(v128.load(gateT + c), v128.load(gateH + c)), v128.load(gateW + c));
            v128.store(out + c, f32x4.mul(f32x4.mul(v128.load(x + c), third), sum));
          }
          for (; c < line; c += 4) {
            const sum = load<f32>(gateT + c) + load<f32>(gateH + c) + load<f32>(gateW + c);
            store<f32>(out + c, load<f32>(x + c) * (<f32>1 / <f32>3) * sum);
          }
          x += line;
          out += line;
        }
      }
    }
  }
}

/** Gradients of axisGates; those of the gates are added to, so they must be clear. */
export function axisGatesGrad(
  dy: usize, x: usize, time: usize, height: usize, width: usize,
  dx: usize, dTime: usize, dHeight: usize, dWidth: usize,
  batch: i32, frames: i32, rows: i32, columns: i32, channels: i32,
): void {
  const third = f32x4.splat(<f32>1 / <f32>3);
  const line: usize = (<usize>channels) << 2;
  for (let b = 0; b < batch; b++) {
    for (let t = 0; t < frames; t++) {
      for (let h = 0; h < rows; h++) {
        for (let w = 0; w < columns; w++) {
          const atT = line * ((b * rows + h) * columns + w);
          const atH = line * ((b * frames + t) * columns + w);
          const atW = line * ((b * frames + t) * rows + h);
          let c: usize = 0;
          for (; c + 16 <= line; c += 16) {
            const g = f32x4.mul(v128.load(dy + c), third);
            const sum = f32x4.add(
              f32x4.add(v128.load(time + atT + c), v128.load(height + atH + c)), v128.load(width + atW + c),
            );
            v128.store(dx + c, f32x4.mul(g, sum));
            const d = f32x4.mul(g, v128.load(x + c));
            v128.store(dTime + atT + c, f32x4.add(v128.load(dTime + atT + c), d));
            v128.store(dHeight + atH + c, f32x4.add(v128.load(dHeight + atH + c), d));
            v128.store(dWidth + atW + c, f32x4.add(v128.load(dWidth + atW + c), d));
          }
          for (; c < line; c += 4) {
            const g = load<f32>(dy + c) * (<f32>1 / <f32>3);
            const sum = load<f32>(time + atT + c) + load<f32>(height + atH + c) + load<f32>(width + atW + c);
            store<f32>(dx + c, g * sum);
            const d = g * load<f32>(x + c);
            store<f32>(dTime + atT + c, load<f32>(dTime + atT + c) + d);
            store<f32>(dHeight + atH + c, load<f32>(dHeight + atH + c) + d);
            store<f32>(dWidth + atW + c, load<f32>(dWidth + atW + c) + d);
          }
          dy += line;
          x += line;
          dx += line;
        }
      }
    }
  }
}
