import { SaccadeError } from '@saccade/tensor-ops';
import type * as tf from '@tensorflow/tfjs-core';
import { type Initializer, zeros } from './initializers.ts';
import { identityLayout, type WeightLayout } from './layout.ts';
import { Counter, entrySize, Parameter, type StateEntry } from './parameter.ts';
import { type LoadReport, type SavedTensor, type StateDict, StateDictError } from './stateDict.ts';

/** How a weight starts and how PyTorch stores it. */
export interface ParameterOptions {
  /** default: zeros */
  readonly init?: Initializer;
  /** default: the same layout on both sides */
  readonly layout?: WeightLayout;
  /** false: weight decay leaves it alone, as it does vectors (biases, norms, scales) by itself; default true */
  readonly decay?: boolean;
}

/** What a module is told after an optimiser has changed its weights. */
export interface OptimizerStep {
  /** the rate of the step that was made */
  readonly learningRate: number;
}

/**
 * A piece of a network that owns weights: the counterpart of `torch.nn.Module`.
 *
 * A subclass registers what it owns under PyTorch's names with `parameter`, `buffer`, `counter` and `child`, and has a
 * `forward` of its own signature. Names nest with dots in state dicts. A new module is in training mode, as in PyTorch:
 * call {@link Module.eval} before inference.
 */
export abstract class Module {
  readonly #entries = new Map<string, { entry: StateEntry; trainable: boolean }>();
  readonly #children = new Map<string, Module>();
  #training = true;
  #disposed = false;

  /** Registers a trained weight of our `shape`. */
  protected parameter(name: string, shape: readonly number[], options: ParameterOptions = {}): Parameter {
    return this.#register(name, shape, options, true);
  }

  /** Registers a tensor that is saved with the weights but not trained (running statistics). */
  protected buffer(name: string, shape: readonly number[], options: ParameterOptions = {}): Parameter {
    return this.#register(name, shape, options, false);
  }

  /** Registers a saved 64-bit counter. */
  protected counter(name: string): Counter {
    const counter = new Counter();
    this.#entries.set(name, { entry: counter, trainable: false });
    return counter;
  }

  /**
   * Registers a part of this module under `name` and returns it. Under the empty name, what the part owns stands among this
   * module's own.
   */
  protected child<M extends Module>(name: string, module: M): M {
    this.#children.set(name, module);
    return module;
  }

  #register(
    name: string,
    shape: readonly number[],
    { init = zeros, layout = identityLayout, decay = true }: ParameterOptions,
    trainable: boolean,
  ): Parameter {
    const parameter = new Parameter(init(shape), shape, layout, trainable, decay);
    this.#entries.set(name, { entry: parameter, trainable });
    return parameter;
  }

  /** True in training mode: batch statistics, drop path. */
  get training(): boolean {
    return this.#training;
  }

  /** Sets training mode here and in all parts. */
  train(training = true): this {
    this.#training = training;
    for (const child of this.#children.values()) child.train(training);
    return this;
  }

  /** Sets evaluation mode here and in all parts: running statistics, nothing dropped. */
  eval(): this {
    return this.train(false);
  }

  /**
   * Tells this module and all of its parts that an optimiser has made a step: some have state that moves with training but
   * not by gradients, such as the centroids of DG-Attention. `train()` of the engine calls it; a training loop of your own
   * does so after each `optimizer.step(...)`: `model.afterStep({ learningRate: optimizer.lr })`.
   */
  afterStep(step: OptimizerStep): void {
    this.assertUsable();
    for (const [, module] of this.namedModules()) module.stepped(step);
  }

  /** What this module alone does after a step of the optimiser; nothing, unless a subclass says otherwise. */
  protected stepped(_step: OptimizerStep): void {}

  /** All modules of this tree with their names, this one first under the name `prefix`. */
  *namedModules(prefix = ''): Generator<[name: string, module: Module]> {
    yield [prefix, this];
    for (const [name, child] of this.#children) yield* child.namedModules(join(prefix, name));
  }

  *#namedEntries(): Generator<[name: string, entry: StateEntry, trainable: boolean]> {
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, { entry, trainable }] of module.#entries) yield [join(prefix, name), entry, trainable];
    }
  }

  /** The trained weights by their full names. */
  namedParameters(): Map<string, Parameter> {
    const found = new Map<string, Parameter>();
    for (const [name, entry, trainable] of this.#namedEntries()) {
      if (trainable) found.set(name, entry as Parameter);
    }
    return found;
  }

  /** The number of trained values, as `sum(p.numel() for p in model.parameters())` counts them. */
  parameterCount(): number {
    let count = 0;
    for (const parameter of this.namedParameters().values()) count += entrySize(parameter);
    return count;
  }

  /** The names of {@link stateDict} and the shapes under which PyTorch knows them, in the same order; no value is read. */
  stateShapes(): Map<string, { readonly shape: readonly number[] }> {
    return new Map([...this.#namedEntries()].map(([name, { torchShape }]) => [name, { shape: torchShape }]));
  }

  /** Reads all weights and buffers, in PyTorch's layouts. */
  async stateDict(): Promise<Map<string, SavedTensor>> {
    this.assertUsable();
    const entries = [...this.#namedEntries()];
    const tensors = await Promise.all(entries.map(([, entry]) => entry.read()));
    return new Map(entries.map(([name], i) => [name, tensors[i] as SavedTensor]));
  }

  /**
   * Copies weights and buffers from a state dict; all of them or, when it throws, none.
   *
   * @param options.strict when false, names missing here or there are left out and only reported
   * @returns what was left out
   * @throws StateDictError with the full report: missing, unexpected, misshapen; ShapeError or ConfigError for a tensor
   * whose values are not what its shape says
   */
  loadStateDict(stateDict: StateDict, { strict = true }: { readonly strict?: boolean } = {}): LoadReport {
    this.assertUsable();
    const entries = new Map([...this.#namedEntries()].map(([name, entry]) => [name, entry]));
    const missing = [...entries.keys()].filter((name) => !stateDict.has(name));
    const unexpected = [...stateDict.keys()].filter((name) => !entries.has(name));
    const misshapen = [...entries].flatMap(([name, { torchShape: expected }]) => {
      const actual = stateDict.get(name)?.shape;
      return actual === undefined || sameShape(expected, actual) ? [] : [{ name, expected, actual }];
    });
    const report: LoadReport = { missing, unexpected, misshapen };
    if (misshapen.length > 0 || (strict && missing.length + unexpected.length > 0)) throw new StateDictError(report);
    const present = [...entries].flatMap(([name, entry]) => {
      const tensor = stateDict.get(name);
      return tensor ? [{ name, entry, tensor }] : [];
    });
    for (const { name, entry, tensor } of present) entry.check(name, tensor);
    for (const { entry, tensor } of present) entry.write(tensor);
    return report;
  }

  /** Frees all weights; the module cannot be used again. Calling it twice does no harm. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const { entry } of this.#entries.values()) entry.dispose();
    for (const child of this.#children.values()) child.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Throws once the module's weights are gone, instead of the error that tfjs would give. */
  protected assertUsable(): void {
    if (this.#disposed) throw new SaccadeError(`${this.constructor.name}: used after dispose().`);
  }
}

/** Modules under the names 0, 1, ...: the counterpart of `torch.nn.ModuleList`. */
export class ModuleList<M extends Module> extends Module {
  readonly items: readonly M[];

  constructor(items: readonly M[]) {
    super();
    this.items = items.map((item, i) => this.child(String(i), item));
  }
}

/** The variables to differentiate by, from the parameters of a module. */
export function variables(parameters: ReadonlyMap<string, Parameter>): tf.Variable[] {
  return [...parameters.values()].map(({ variable }) => variable);
}

function join(prefix: string, name: string): string {
  return prefix === '' || name === '' ? prefix + name : `${prefix}.${name}`;
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
