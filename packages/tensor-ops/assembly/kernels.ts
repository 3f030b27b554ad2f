// AssemblyScript: kernels that run on the memory of tfjs' wasm backend. `pnpm assemble` compiles this folder into
// src/kernels/wasm/simd.generated.ts. All pointers are bytes into that memory; nothing here allocates.

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
