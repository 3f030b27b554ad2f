import type { SavedTensor } from '@saccade/nn';
import { OnnxWriteError } from './errors.ts';
import { float, type GraphBuilder, type Value, type Weight } from './graphBuilder.ts';

/** The weights of a network by PyTorch's names, in PyTorch's layouts; counters are left out. */
export type NetworkWeights = ReadonlyMap<string, Weight>;

/** A network that can be read: any `Module` of `@saccade/nn`. */
interface Readable {
  stateDict(): Promise<ReadonlyMap<string, SavedTensor>>;
}

/** Reads the weights and buffers of 32 bit of a network. */
export async function networkWeights(model: Readable): Promise<NetworkWeights> {
  const weights = new Map<string, Weight>();
  for (const [name, { shape, data }] of await model.stateDict()) {
    if (data instanceof Float32Array) weights.set(name, { shape, data });
  }
  return weights;
}

/** Layers as PyTorch's exporter writes them, each with the weights under its name. */
export class Layers {
  readonly graph: GraphBuilder;
  readonly #weights: NetworkWeights;

  constructor(graph: GraphBuilder, weights: NetworkWeights) {
    this.graph = graph;
    this.#weights = weights;
  }

  has(name: string): boolean {
    return this.#weights.has(name);
  }

  /** @throws OnnxWriteError Unsupported if the network has no such weight */
  weight(name: string): Value {
    const weight = this.#weights.get(name);
    if (weight !== undefined) return this.graph.weight(name, weight);
    throw new OnnxWriteError(
      'Unsupported',
      `the network has no weight ${name}; this graph is for another architecture.`,
    );
  }

  /** [B, N, I] -> [B, N, O]. The weight stays [O, I], as PyTorch has it; runtimes transpose it once, when they load. */
  linear(x: Value, name: string): Value {
    const weight = this.graph.node('Transpose', [this.weight(`${name}.weight`)], { perm: [1, 0] });
    const product = this.graph.node('MatMul', [x, weight]);
    return this.has(`${name}.bias`) ? this.graph.node('Add', [product, this.weight(`${name}.bias`)]) : product;
  }

  /** [B, I] -> [B, O] */
  classifier(x: Value, name: string): Value {
    return this.graph.node('Gemm', [x, this.weight(`${name}.weight`), this.weight(`${name}.bias`)], { transB: 1 });
  }

  /** Over the last axis. */
  layerNorm(x: Value, name: string, epsilon: number): Value {
    const weights = [this.weight(`${name}.weight`), this.weight(`${name}.bias`)];
    return this.graph.node('LayerNormalization', [x, ...weights], { axis: -1, epsilon: float(epsilon) });
  }

  /** With running statistics, not folded into the convolution: runtimes do that. */
  batchNorm(x: Value, name: string, epsilon: number): Value {
    const parts = ['weight', 'bias', 'running_mean', 'running_var'].map((part) => this.weight(`${name}.${part}`));
    return this.graph.node('BatchNormalization', [x, ...parts], { epsilon: float(epsilon) });
  }

  /** A square kernel on [B, C, H, W]; with a bias if the network has one. */
  convolution(x: Value, name: string, { kernel, stride, padding }: ConvolutionOptions): Value {
    const bias = this.has(`${name}.bias`) ? [this.weight(`${name}.bias`)] : [];
    return this.graph.node('Conv', [x, this.weight(`${name}.weight`), ...bias], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [padding, padding, padding, padding],
    });
  }
}

interface ConvolutionOptions {
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}
