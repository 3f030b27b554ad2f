import { Module, type Parameter, type SavedTensor, type StateDict } from '@saccade/nn';
import { assertShape, ConfigError } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { Gradients } from './gradients.ts';
import type { Optimizer } from './optimizer.ts';

/** By how much a weight's learning rate and decay differ from the optimiser's. */
export interface Multipliers {
  /** default 1 */
  readonly lr?: number;
  /** default 1 */
  readonly decay?: number;
}

/** Options of {@link SGD}. */
export interface SGDOptions {
  /** what to train: `model.namedParameters()` */
  readonly parameters: ReadonlyMap<string, Parameter>;
  /** learning rate; may be changed between steps */
  readonly lr: number;
  /** share of the last step in the next one; default 0 */
  readonly momentum?: number;
  /** default 0, as PyTorch's */
  readonly weightDecay?: number;
  /** of each weight, by its full name; default: 1 for all. `networkGroups` are those of TSN, TSM and AIA */
  readonly multipliers?: (name: string, parameter: Parameter) => Multipliers;
}

/**
 * Stochastic gradient descent with momentum, as PyTorch's `SGD` (no dampening, no Nesterov). For each weight p with gradient
 * g and multipliers a (rate) and b (decay):
 *
 * ```
 * g <- g + weightDecay b p;   v <- momentum v + g   (v = g at the first step);   p <- p - lr a v
 * ```
 *
 * A weight without a gradient in a step is left alone, decay and momentum included.
 */
export class SGD implements Optimizer {
  readonly #parameters: ReadonlyMap<string, Parameter>;
  readonly #settings: ReadonlyMap<string, Required<Multipliers>>;
  readonly #momentum: number;
  readonly #weightDecay: number;
  readonly #state: SGDState | undefined;
  #lr = 0;

  /** @throws ConfigError for a rate, momentum, decay or multiplier that cannot be */
  constructor({ parameters, lr, momentum = 0, weightDecay = 0, multipliers = () => ({}) }: SGDOptions) {
    if (!(momentum >= 0 && momentum < 1)) throw new ConfigError('momentum', 'a number in [0, 1)', momentum);
    assertRate('weightDecay', weightDecay);
    this.lr = lr;
    this.#parameters = parameters;
    this.#momentum = momentum;
    this.#weightDecay = weightDecay;
    this.#settings = new Map(
      [...parameters].map(([name, parameter]) => {
        const { lr = 1, decay = 1 } = multipliers(name, parameter);
        assertRate(`multipliers of ${name}: lr`, lr);
        assertRate(`multipliers of ${name}: decay`, decay);
        return [name, { lr, decay }];
      }),
    );
    this.#state = momentum > 0 ? new SGDState(parameters) : undefined;
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
    const named = Symbol.iterator in gradients ? [...(gradients as Gradients)] : Object.entries(gradients);
    const updates = named.map(([name, gradient]) => {
      const parameter = this.#parameters.get(name);
      if (!parameter) throw new ConfigError('gradients', 'names of the parameters', name);
      assertShape(`gradients of ${name}`, gradient, parameter.variable.shape);
      return { name, gradient, weight: parameter.variable };
    });
    for (const { name, gradient, weight } of updates) tf.tidy(() => this.#update(name, weight, gradient));
  }

  #update(name: string, weight: tf.Variable, gradient: tf.Tensor): void {
    const { lr, decay } = this.#settings.get(name) as Required<Multipliers>;
    const shrink = this.#weightDecay * decay;
    let velocity = shrink === 0 ? gradient : tf.add(gradient, tf.mul(weight, shrink));
    if (this.#state) {
      const kept = this.#state.of(name).variable;
      velocity = tf.add(tf.mul(kept, this.#momentum), velocity);
      kept.assign(velocity);
    }
    weight.assign(tf.sub(weight, tf.mul(velocity, this.#lr * lr)));
  }

  /** The momentum, for a checkpoint: `<name>.momentum_buffer`, in PyTorch's layouts; nothing without momentum. */
  stateDict(): Promise<Map<string, SavedTensor>> {
    return this.#state?.stateDict() ?? Promise.resolve(new Map());
  }

  /**
   * Takes up the momentum of a checkpoint; all of it or, when it throws, none.
   *
   * @throws StateDictError if it belongs to other parameters; ConfigError if there is some and this optimiser has none
   */
  loadStateDict(stateDict: StateDict): void {
    if (this.#state) {
      this.#state.loadStateDict(stateDict);
    } else if (stateDict.size > 0) {
      throw new ConfigError(
        'stateDict',
        'nothing, for an optimiser without momentum',
        [...stateDict.keys()].slice(0, 3),
      );
    }
  }

  /** Frees the momentum, not the weights. */
  dispose(): void {
    this.#state?.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The momentum of all weights: a module, since that is what reads, checks and writes state dicts. */
class SGDState extends Module {
  readonly #velocities: ReadonlyMap<string, Velocity>;

  constructor(parameters: ReadonlyMap<string, Parameter>) {
    super();
    this.#velocities = new Map([...parameters].map(([name, p]) => [name, this.child(name, new Velocity(p))]));
  }

  of(name: string): Parameter {
    this.assertUsable();
    return (this.#velocities.get(name) as Velocity).value;
  }
}

class Velocity extends Module {
  /** Starts at 0, so that the first step's v is g. */
  readonly value: Parameter;

  constructor({ variable, layout }: Parameter) {
    super();
    this.value = this.buffer('momentum_buffer', variable.shape, { layout });
  }
}

function assertRate(option: string, value: number): void {
  if (!(Number.isFinite(value) && value >= 0)) throw new ConfigError(option, 'a finite number >= 0', value);
}
