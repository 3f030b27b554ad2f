import type { StateDict } from '@saccade/nn';

/** What {@link vitReference} must know of a vision transformer with plain attention, beside its weights. */
export interface ReferencePlan {
  /** [T, H, W] of the input, multiples of the kernel; an image is a clip of one frame */
  readonly size: readonly [number, number, number];
  /** [kt, p, p]; patches do not overlap in time either */
  readonly kernel: readonly [number, number, number];
  readonly depth: number;
  readonly heads: number;
}

type Rows = number[][];

/**
 * The logits of a vision transformer with plain attention: DeiT's description read literally, as loops in float64 over the
 * weights of its state dict, for one sample of pixels [T, H, W, C].
 */
export function vitReference(state: StateDict, pixels: ArrayLike<number>, plan: ReferencePlan): number[] {
  const layers = new Layers(state);
  const patches = layers.linear('patch_embed.proj', cutPatches(pixels, plan));
  const first = state.has('cls_token') ? [layers.values('cls_token')] : [];
  const positions = layers.values('pos_embed');
  let x = [...first, ...patches].map((row, n) => row.map((v, c) => v + positions[n * row.length + c]!));
  for (let i = 0; i < plan.depth; i++) {
    const block = `blocks.${i}`;
    const attended = layers.attention(`${block}.attn`, layers.norm(`${block}.norm1`, x), plan.heads);
    x = sum(x, layers.scaled(`${block}.ls1`, attended));
    const hidden = layers.linear(`${block}.mlp.fc1`, layers.norm(`${block}.norm2`, x)).map((row) => row.map(gelu));
    x = sum(x, layers.scaled(`${block}.ls2`, layers.linear(`${block}.mlp.fc2`, hidden)));
  }
  x = layers.norm('norm', x);
  const pooled = first.length > 0 ? x[0]! : x[0]!.map((_, c) => total(x.map((row) => row[c]!)) / x.length);
  return layers.linear('head', [pooled])[0]!;
}

/** Layers by their names in a state dict, on rows of channels. */
class Layers {
  readonly #state: StateDict;

  constructor(state: StateDict) {
    this.#state = state;
  }

  values(name: string): number[] {
    return Array.from(this.#state.get(name)!.data as ArrayLike<number>);
  }

  linear(name: string, x: Rows): Rows {
    const weight = this.values(`${name}.weight`);
    const outputs = this.#state.get(`${name}.weight`)!.shape[0]!;
    const bias = this.#state.has(`${name}.bias`) ? this.values(`${name}.bias`) : Array<number>(outputs).fill(0);
    return x.map((row) => bias.map((b, o) => b + dot(row, weight.slice(o * row.length, (o + 1) * row.length))));
  }

  norm(name: string, x: Rows): Rows {
    const [weight, bias] = [this.values(`${name}.weight`), this.values(`${name}.bias`)];
    return x.map((row) => {
      const mean = total(row) / row.length;
      const deviation = Math.sqrt(total(row.map((v) => (v - mean) ** 2)) / row.length + 1e-6);
      return row.map((v, c) => ((v - mean) / deviation) * weight[c]! + bias[c]!);
    });
  }

  scaled(name: string, x: Rows): Rows {
    if (!this.#state.has(`${name}.gamma`)) return x;
    const gamma = this.values(`${name}.gamma`);
    return x.map((row) => row.map((v, c) => v * gamma[c]!));
  }

  attention(name: string, x: Rows, heads: number): Rows {
    const rows = this.linear(`${name}.qkv`, x);
    const size = x[0]!.length / heads;
    const part = (row: number[], which: number, head: number) => {
      const start = (which * heads + head) * size;
      return row.slice(start, start + size);
    };
    const mixed = rows.map((row) =>
      Array.from({ length: heads }, (_, head) => {
        const q = part(row, 0, head);
        const weights = rows.map((other) => Math.exp(dot(q, part(other, 1, head)) / Math.sqrt(size)));
        const values = rows.map((other) => part(other, 2, head));
        return q.map((_, e) => total(values.map((v, m) => weights[m]! * v[e]!)) / total(weights));
      }).flat(),
    );
    return this.linear(`${name}.proj`, mixed);
  }
}

/** Rows of the patches, row-major over the grid; the values of a patch in PyTorch's order: channel, frame, row, column. */
function cutPatches(pixels: ArrayLike<number>, { size, kernel }: ReferencePlan): Rows {
  const [frames, height, width] = size;
  const [kt, ph, pw] = kernel;
  const channels = pixels.length / (frames * height * width);
  const steps = (count: number, step: number) => Array.from({ length: count / step }, (_, i) => i * step);
  const offsets = (count: number) => Array.from({ length: count }, (_, i) => i);
  const at = (t: number, y: number, x: number, c: number) => pixels[((t * height + y) * width + x) * channels + c]!;
  return steps(frames, kt).flatMap((t) =>
    steps(height, ph).flatMap((y) =>
      steps(width, pw).map((x) =>
        offsets(channels).flatMap((c) =>
          offsets(kt).flatMap((dt) =>
            offsets(ph).flatMap((dy) => offsets(pw).map((dx) => at(t + dt, y + dy, x + dx, c))),
          ),
        ),
      ),
    ),
  );
}

const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const dot = (a: readonly number[], b: readonly number[]) => total(a.map((v, i) => v * b[i]!));
const sum = (a: Rows, b: Rows) => a.map((row, n) => row.map((v, c) => v + b[n]![c]!));

/** x * Phi(x), Phi by the series of erf, which converges fast for the arguments of small networks. */
function gelu(x: number): number {
  const z = x / Math.SQRT2;
  let [term, erf] = [z, 0];
  for (let n = 0; n < 200; n++) {
    erf += term / (2 * n + 1);
    term *= (-z * z) / (n + 1);
  }
  return 0.5 * x * (1 + (2 / Math.sqrt(Math.PI)) * erf);
}
