import { Module, type Parameter, type SavedTensor, type StateDict } from '@saccade/nn';
import { assertShape, ConfigError } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { Gradients } from './gradients.ts';
import type { Optimizer } from './optimizer.ts';

/** Options of {@link AdamW}. */
export interface AdamWOptions {
  /** what to train: `model.namedParameters()` */
  readonly parameters: ReadonlyMap<string, Parameter>;
  /** learning rate; may be changed between steps */
  readonly lr: number;
  /** decay rates of the two moments; default [0.9, 0.999] */
  readonly betas?: readonly [number, number];
  /** added to the root of the second moment; default 1e-8 */
  readonly eps?: number;
  /** default 0.01, as PyTorch's */
  readonly weightDecay?: number;
  /**
   * weights that do not decay; default: those with at most one dimension in PyTorch (biases, norms, scales), and those that
   * their layers exempt (`decay: false`, such as tables of relative positions)
   */
  readonly noDecay?: (name: string, parameter: Parameter) => boolean;
}

/**
 * Adam with decoupled weight decay, as PyTorch's `AdamW`. For each weight p with gradient g, at its t-th step:
 *
 * ```
 * p <- p (1 - lr weightDecay)
 * m <- beta1 m + (1 - beta1) g          v <- beta2 v + (1 - beta2) g^2
 * p <- p - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 * ```
 *
 * A weight without a gradient in a step is left alone, decay included, and its t does not count that step.
 * tfjs' own Adam has no decoupled decay and another eps. Source: Loshchilov and Hutter, arXiv 1711.05101.
 */
export class AdamW implements Optimizer {
  readonly #options: Required<Omit<AdamWOptions, 'lr'>>;
  readonly #state: AdamWState;
  #lr = 0;

  /** @throws ConfigError for a rate or decay that cannot be */
  constructor({
    parameters,
    lr,
    betas = [0.9, 0.999],
    eps = 1e-8,
    weightDecay = 0.01,
    noDecay = (_, { torchShape, decay }) => !decay || torchShape.length <= 1,
  }: AdamWOptions) {
    betas.forEach((beta, i) => {
      if (!(beta >= 0 && beta < 1)) throw new ConfigError(`betas[${i}]`, 'a number in [0, 1)', beta);
    });
    for (const [option, value] of Object.entries({ eps, weightDecay })) assertRate(option, value);
    this.lr = lr;
    this.#options = { parameters, betas, eps, weightDecay, noDecay };
    this.#state = new AdamWState(parameters);
  }

  get lr(): number {
    return this.#lr;
  }

  set lr(lr: number) {
    assertRate('lr', lr);
    this.#lr = lr;
  }

  /**
   * One step. The gradients stay the caller's.
   *
   * @throws ConfigError if a gradient belongs to no parameter, ShapeError if it has another shape; then nothing changed
   */
  step(gradients: Gradients | tf.NamedTensorMap): void {
    const { parameters, weightDecay, noDecay } = this.#options;
    const named = Symbol.iterator in gradients ? [...(gradients as Gradients)] : Object.entries(gradients);
    const updates = named.map(([name, gradient]) => {
      const parameter = parameters.get(name);
      if (!parameter) throw new ConfigError('gradients', 'names of the parameters', name);
      assertShape(`gradients of ${name}`, gradient, parameter.variable.shape);
      return { name, gradient, parameter };
    });
    for (const { name, gradient, parameter } of updates) {
      const decay = noDecay(name, parameter) ? 0 : weightDecay;
      tf.tidy(() => this.#update(parameter.variable, gradient, this.#state.of(name), decay));
    }
  }

  #update(weight: tf.Variable, gradient: tf.Tensor, { mean, square, steps }: Moments, decay: number): void {
    const [beta1, beta2] = this.#options.betas;
    steps.value += 1n;
    const t = Number(steps.value);
    const [m, v] = [mean.variable, square.variable];
    m.assign(tf.add(tf.mul(m, beta1), tf.mul(gradient, 1 - beta1)));
    v.assign(tf.add(tf.mul(v, beta2), tf.mul(tf.square(gradient), 1 - beta2)));
    const root = tf.add(tf.div(tf.sqrt(v), Math.sqrt(1 - beta2 ** t)), this.#options.eps);
    const change = tf.mul(tf.div(m, root), this.#lr / (1 - beta1 ** t));
    const decayed = decay === 0 ? weight : tf.mul(weight, 1 - this.#lr * decay);
    weight.assign(tf.sub(decayed, change));
  }

  /** The moments, for a checkpoint: `<name>.exp_avg`, `<name>.exp_avg_sq` (PyTorch's layouts) and `<name>.step`. */
  stateDict(): Promise<Map<string, SavedTensor>> {
    return this.#state.stateDict();
  }

  /**
   * Takes up the moments of a checkpoint; all of them or, when it throws, none.
   *
   * @throws StateDictError if they belong to other parameters
   */
  loadStateDict(stateDict: StateDict): void {
    this.#state.loadStateDict(stateDict);
  }

  /** Frees the moments, not the weights. */
  dispose(): void {
    this.#state.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The moments of all weights: a module, since that is what reads, checks and writes state dicts. */
class AdamWState extends Module {
  readonly #moments: ReadonlyMap<string, Moments>;

  constructor(parameters: ReadonlyMap<string, Parameter>) {
    super();
    this.#moments = new Map([...parameters].map(([name, p]) => [name, this.child(name, new Moments(p))]));
  }

  of(name: string): Moments {
    this.assertUsable();
    return this.#moments.get(name) as Moments;
  }
}

class Moments extends Module {
  readonly mean: Parameter;
  readonly square: Parameter;
  readonly steps = this.counter('step');

  constructor({ variable, layout }: Parameter) {
    super();
    this.mean = this.buffer('exp_avg', variable.shape, { layout });
    this.square = this.buffer('exp_avg_sq', variable.shape, { layout });
  }
}

function assertRate(option: string, value: number): void {
  if (!(Number.isFinite(value) && value >= 0)) throw new ConfigError(option, 'a finite number >= 0', value);
}
