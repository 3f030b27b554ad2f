import { BatchNorm, Conv2d, Linear, Module, type Parameter, StateDictError } from '@saccade/nn';
import { ConfigError, Rng, ShapeError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Multipliers, SGD, type SGDOptions } from './SGD.ts';
import { networkGroups } from './SGDGroups.ts';

class Network extends Module {
  readonly conv = this.child('conv', new Conv2d(2, 3, { kernel: 3, rng: new Rng(1) }));
  readonly bn = this.child('bn', new BatchNorm(3));
  readonly fc = this.child('fc', new Linear(3, 2, { rng: new Rng(2) }));
}

const OPTIONS = { lr: 0.1, momentum: 0.8, weightDecay: 0.3 } as const;
const MULTIPLIERS: Readonly<Record<string, Multipliers>> = {
  'conv.weight': { lr: 0.5 },
  'bn.weight': { decay: 0 },
  'fc.bias': { lr: 2, decay: 0 },
};

function optimizerOf(model: Module, options: Partial<SGDOptions> = {}): SGD {
  const multipliers = (name: string) => MULTIPLIERS[name] ?? {};
  return new SGD({ parameters: model.namedParameters(), ...OPTIONS, multipliers, ...options });
}

function gradientValues(size: number, name: string, step: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => Math.sin(1.3 * i + 2.1 * step + name.length) * 0.5);
}

/** Steps with gradients that differ by weight, element and step. */
function train(optimizer: SGD, parameters: ReadonlyMap<string, Parameter>, steps: readonly number[]): void {
  for (const step of steps) {
    const gradients = new Map(
      [...parameters].map(([name, { variable }]) => [
        name,
        tf.tensor(gradientValues(variable.size, name, step), variable.shape),
      ]),
    );
    optimizer.step(gradients);
    tf.dispose([...gradients.values()]);
  }
}

/** The definition, in float64. */
function reference(start: ArrayLike<number>, name: string, steps: readonly number[], momentum: number): Float64Array {
  const { lr: rate = 1, decay = 1 } = MULTIPLIERS[name] ?? {};
  const p = Float64Array.from(start);
  let velocity: Float64Array | undefined;
  for (const step of steps) {
    const own = gradientValues(p.length, name, step);
    const g = p.map((value, i) => own[i]! + OPTIONS.weightDecay * decay * value);
    const last = velocity;
    velocity = last ? g.map((value, i) => momentum * last[i]! + value) : g;
    for (let i = 0; i < p.length; i++) p[i]! -= OPTIONS.lr * rate * velocity[i]!;
  }
  return p;
}

const read = ({ variable }: Parameter) => variable.dataSync().slice();

describeOnBackends('SGD', () => {
  it.each([0.8, 0])('does what its definition says, with momentum %d', async (momentum) => {
    using model = new Network();
    const parameters = model.namedParameters();
    const start = new Map([...parameters].map(([name, parameter]) => [name, read(parameter)]));
    using optimizer = optimizerOf(model, { momentum });
    train(optimizer, parameters, [0, 1, 2, 3]);
    for (const [name, { variable }] of parameters) {
      const expected = reference(start.get(name)!, name, [0, 1, 2, 3], momentum);
      await expectClose(await variable.data(), expected, { tolerance: 2e-6 });
    }
  });

  it('leaves a weight without gradient alone', async () => {
    using model = new Network();
    const parameters = model.namedParameters();
    const weight = parameters.get('fc.weight')!;
    const start = read(weight);
    using optimizer = optimizerOf(model);
    train(optimizer, new Map([...parameters].filter(([name]) => name !== 'fc.weight')), [0, 1]);
    await expectClose(await weight.variable.data(), start, { tolerance: 0 });
    train(optimizer, parameters, [2]);
    await expectClose(await weight.variable.data(), reference(start, 'fc.weight', [2], 0.8), { tolerance: 2e-6 });
  });

  it('keeps no tensor of a step', async () => {
    using model = new Network();
    using optimizer = optimizerOf(model);
    await expectNoLeak(() => train(optimizer, model.namedParameters(), [0, 1]) as undefined);
  });
});

describe('SGD state and arguments', () => {
  beforeAll(async () => {
    await setupBackend('cpu');
  });

  it('goes on from a saved state exactly as if it had not stopped', async () => {
    using straight = new Network();
    using optimizer = optimizerOf(straight);
    train(optimizer, straight.namedParameters(), [0, 1]);
    const [weights, momentum] = [await straight.stateDict(), await optimizer.stateDict()];
    expect(momentum.get('conv.weight.momentum_buffer')?.shape).toEqual([3, 2, 3, 3]);
    train(optimizer, straight.namedParameters(), [2, 3]);

    using resumed = new Network();
    using other = optimizerOf(resumed);
    resumed.loadStateDict(weights);
    other.loadStateDict(momentum);
    train(other, resumed.namedParameters(), [2, 3]);
    expect(await resumed.stateDict()).toEqual(await straight.stateDict());
    expect(await other.stateDict()).toEqual(await optimizer.stateDict());
  });

  it('refuses the state of other weights, and any where it has none', async () => {
    using model = new Network();
    using optimizer = optimizerOf(model);
    const state = await optimizer.stateDict();
    using plain = optimizerOf(model, { momentum: 0 });
    expect((await plain.stateDict()).size).toBe(0);
    plain.loadStateDict(new Map());
    expect(() => plain.loadStateDict(state)).toThrow(ConfigError);
    state.delete('fc.bias.momentum_buffer');
    expect(() => optimizer.loadStateDict(state)).toThrow(StateDictError);
  });

  it('frees its momentum', async () => {
    using model = new Network();
    await expectNoLeak(() => optimizerOf(model).dispose() as undefined);
  });

  it('names what is wrong', () => {
    using model = new Network();
    expect(() => optimizerOf(model, { lr: -1 })).toThrow(/^lr: /);
    expect(() => optimizerOf(model, { momentum: 1 })).toThrow(/^momentum: /);
    expect(() => optimizerOf(model, { weightDecay: Number.NaN })).toThrow(/^weightDecay: /);
    expect(() => optimizerOf(model, { multipliers: () => ({ lr: -2 }) })).toThrow(/^multipliers of conv\.weight: lr: /);
    using optimizer = optimizerOf(model);
    expect(() => optimizer.step({ 'fc.weigth': tf.scalar(0) })).toThrow(/fc\.weigth/);
    expect(() => optimizer.step({ 'fc.weight': tf.zeros([2, 3]) })).toThrow(ShapeError);
  });
});

describe('networkGroups', () => {
  beforeAll(async () => {
    await setupBackend('cpu');
  });

  it('are those of TSN, TSM and AIA', () => {
    class Block extends Module {
      readonly conv1 = this.child('conv1', new Conv2d(2, 2, { kernel: 1, bias: false, rng: new Rng(1) }));
      readonly eft = this.child('eft', new Network());
    }
    class Whole extends Network {
      readonly block = this.child('layer1', new Block());
    }
    using model = new Whole();
    const parameters = model.namedParameters();
    const groups = (options = {}) => {
      const multipliers = networkGroups(parameters, options);
      return Object.fromEntries(
        [...parameters].map(([name, parameter]) => {
          const { lr, decay } = multipliers(name, parameter);
          return [name, [lr, decay]];
        }),
      );
    };
    const expected = {
      'conv.weight': [1, 1],
      'conv.bias': [2, 0],
      'bn.weight': [1, 0],
      'bn.bias': [1, 0],
      'fc.weight': [1, 1],
      'fc.bias': [2, 0],
      'layer1.conv1.weight': [1, 1],
      'layer1.eft.conv.weight': [1, 1],
      'layer1.eft.conv.bias': [2, 0],
      'layer1.eft.bn.weight': [1, 0],
      'layer1.eft.bn.bias': [1, 0],
      'layer1.eft.fc.weight': [1, 1],
      'layer1.eft.fc.bias': [2, 0],
    };
    expect(groups()).toEqual(expected);
    class Tables extends Module {
      readonly table = this.parameter('table', [2, 3], { decay: false });
    }
    using tables = new Tables();
    const own = tables.namedParameters();
    expect(networkGroups(own)('table', own.get('table')!)).toEqual({ lr: 1, decay: 0 });
    expect(groups({ gateLr: 2 })).toEqual({
      ...expected,
      'layer1.eft.conv.weight': [2, 1],
      'layer1.eft.fc.weight': [2, 1],
    });
  });
});
