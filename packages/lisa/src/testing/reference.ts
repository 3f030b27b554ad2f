import type { Problem } from './problem.ts';

// The formulas of lisaAttention, sum by sum in float64. Nothing here is shared with the code under test.

/** `y` [B, N, C], and of mode `structure` the patterns S [B, h, N, D] and the kernel K1 [B, h, N, N]. */
export interface Reference {
  readonly y: Float64Array;
  readonly patterns: Float64Array;
  readonly kernel: Float64Array;
}

export function reference(p: Problem): Reference {
  const { mode, batch, heads, headDim, tokens, channels, patterns: count, v } = p;
  const [q, k] = normalised(p);
  const y = new Float64Array(batch * tokens * channels);
  const patterns = new Float64Array(batch * heads * tokens * count);
  const kernel = new Float64Array(batch * heads * tokens * tokens);
  for (let b = 0; b < batch; b++) {
    for (let head = 0; head < heads; head++) {
      const at = (token: number, e: number) => (b * tokens + token) * channels + head * headDim + e;
      const each = (f: (e: number) => void) => Array.from({ length: headDim }, (_, e) => f(e));
      for (let n = 0; n < tokens; n++) {
        const row = (b * heads + head) * tokens + n;
        if (mode === 'hadamard') {
          for (let m = 0; m < tokens; m++) {
            each((e) => {
              const weight = entry(p, 0, head * headDim + e, n, m);
              y[at(n, e)]! += q[at(n, e)]! * weight * k[at(m, e)]! * v[at(m, e)]!;
            });
          }
          continue;
        }
        const feature = (x: number) => (mode === 'kernelized' ? (x > 0 ? x + 1 : Math.exp(x)) : x);
        const score = (m: number) => {
          let sum = 0;
          each((e) => {
            sum += feature(q[at(n, e)]!) * feature(k[at(m, e)]!);
          });
          return sum;
        };
        const scores = Array.from({ length: tokens }, (_, m) => score(m));
        if (mode === 'kernelized') {
          const weights = scores.map((s, m) => s * entry(p, 0, head, n, m));
          const total = weights.reduce((sum, w) => sum + w, 0);
          for (const [m, w] of weights.entries()) each((e) => (y[at(n, e)]! += (w / total) * v[at(m, e)]!));
          continue;
        }
        for (let d = 0; d < count; d++) {
          const s = scores.reduce((sum, score, m) => sum + score * entry(p, 0, head * count + d, n, m), 0);
          patterns[row * count + d] = s;
          for (let m = 0; m < tokens; m++) {
            kernel[row * tokens + m]! += s * entry(p, 1, head * count + d, n, m);
          }
        }
        for (let m = 0; m < tokens; m++) each((e) => (y[at(n, e)]! += kernel[row * tokens + m]! * v[at(m, e)]!));
      }
    }
  }
  return { y, patterns, kernel };
}

/** Entry of row `row` of a table at the offset of key m from query n. */
function entry({ tables, grid, padding }: Problem, table: number, row: number, n: number, m: number): number {
  let [index, offsets] = [0, 1];
  let [query, key] = [n, m];
  for (let axis = grid.length - 1; axis >= 0; axis--) {
    const size = grid[axis]!;
    const offset = (key % size) - (query % size);
    index += offsets * (padding === 'zero' ? offset + size - 1 : (offset + size) % size);
    offsets *= padding === 'zero' ? 2 * size - 1 : size;
    [query, key] = [Math.floor(query / size), Math.floor(key / size)];
  }
  return tables[table]![row * offsets + index]!;
}

function normalised({ q, k, qkNorm, headDim }: Problem): [Float64Array, Float64Array] {
  const [queries, keys] = [Float64Array.from(q), Float64Array.from(k)];
  if (qkNorm === 'scale') return [queries.map((x) => x / Math.sqrt(headDim)), keys];
  if (qkNorm === 'none') return [queries, keys];
  // Heads are neighbours in [B, N, C]: each run of headDim numbers is one.
  const unit = (x: Float64Array) =>
    x.map((value, i) => {
      const start = i - (i % headDim);
      const square = x.slice(start, start + headDim).reduce((sum, t) => sum + t * t, 0);
      return value / Math.sqrt(square + 1e-6);
    });
  return [unit(queries), unit(keys)];
}
