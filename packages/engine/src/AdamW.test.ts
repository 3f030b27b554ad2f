import { constant, DepthwiseConv, Linear, Module, type Parameter, StateDictError } from '@saccade/nn';
import { ConfigError, Rng, ShapeError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { AdamW } from './AdamW.ts';

class Pair extends Module {
  readonly first = this.child('first', new Linear(3, 2, { rng: new Rng(1) }));
  readonly conv = this.child('conv', new DepthwiseConv(2, { kernel: [3, 3], rng: new Rng(2) }));
}

const OPTIONS = { lr: 0.02, betas: [0.8, 0.95], eps: 1e-3, weightDecay: 0.3 } as const;

/** Gradients that differ by weight, element and step. */
function gradientsOf(parameters: ReadonlyMap<string, Parameter>, step: number): Map<string, tf.Tensor> {
  return new Map(
    [...parameters].map(([name, { variable }]) => [
      name,
      tf.tensor(gradientValues(variable.size, name, step), variable.shape),
    ]),
  );
}

function gradientValues(size: number, name: string, step: number): Float32Array {
  return Float32Array.from({ length: size }, (_, i) => Math.sin(1.3 * i + 2.1 * step + name.length) * 0.5);
}

function train(optimizer: AdamW, parameters: ReadonlyMap<string, Parameter>, steps: readonly number[]): void {
  for (const step of steps) {
    const gradients = gradientsOf(parameters, step);
    optimizer.step(gradients);
    tf.dispose([...gradients.values()]);
  }
}

/** The definition, in float64. */
function reference(start: ArrayLike<number>, name: string, steps: readonly number[], decay: number): Float64Array {
  const { lr, betas, eps } = OPTIONS;
  const p = Float64Array.from(start);
  const [m, v] = [new Float64Array(p.length), new Float64Array(p.length)];
  steps.forEach((step, index) => {
    const g = gradientValues(p.length, name, step);
    const t = index + 1;
    for (let i = 0; i < p.length; i++) {
      p[i]! *= 1 - lr * decay;
      m[i] = betas[0] * m[i]! + (1 - betas[0]) * g[i]!;
      v[i] = betas[1] * v[i]! + (1 - betas[1]) * g[i]! ** 2;
      p[i]! -= (lr * (m[i]! / (1 - betas[0] ** t))) / (Math.sqrt(v[i]! / (1 - betas[1] ** t)) + eps);
    }
  });
  return p;
}

describeOnBackends('AdamW', () => {
  it('does what its definition says, decaying matrices and filters but no vector', async () => {
    using model = new Pair();
    const parameters = model.namedParameters();
    const start = new Map([...parameters].map(([name, { variable }]) => [name, variable.dataSync().slice()]));
    using optimizer = new AdamW({ parameters, ...OPTIONS });
    const steps = [0, 1, 2, 3, 4];
    train(optimizer, parameters, steps);
    for (const [name, { variable, torchShape }] of parameters) {
      const decay = torchShape.length > 1 ? OPTIONS.weightDecay : 0;
      await expectClose(await variable.data(), reference(start.get(name)!, name, steps, decay), { tolerance: 2e-6 });
    }
  });

  it('does not decay what its layer exempts, unless it is told to', async () => {
    class Tables extends Module {
      readonly table = this.parameter('table', [2, 3], { init: constant(1), decay: false });
      readonly matrix = this.parameter('matrix', [2, 3], { init: constant(1) });
    }
    for (const [given, decays] of [
      [{}, { table: 0, matrix: OPTIONS.weightDecay }],
      [{ noDecay: () => false }, { table: OPTIONS.weightDecay, matrix: OPTIONS.weightDecay }],
    ] as const) {
      using model = new Tables();
      const parameters = model.namedParameters();
      using optimizer = new AdamW({ parameters, ...OPTIONS, ...given });
      train(optimizer, parameters, [0, 1, 2]);
      for (const [name, decay] of Object.entries(decays)) {
        const expected = reference(Array(6).fill(1), name, [0, 1, 2], decay);
        await expectClose(parameters.get(name)!.variable, expected, { tolerance: 2e-6 });
      }
    }
  });

  it('leaves a weight without gradient alone and does not count the step for it', async () => {
    using model = new Pair();
    const parameters = model.namedParameters();
    const { variable } = parameters.get('first.weight')!;
    const start = variable.dataSync().slice();
    using optimizer = new AdamW({ parameters, ...OPTIONS });
    const others = new Map([...parameters].filter(([name]) => name !== 'first.weight'));
    train(optimizer, others, [0, 1]);
    await expectClose(await variable.data(), start, { tolerance: 0 });
    train(optimizer, parameters, [2]);
    await expectClose(await variable.data(), reference(start, 'first.weight', [2], 0.3), { tolerance: 2e-6 });
  });

  it('keeps no tensor of a step', async () => {
    using model = new Pair();
    const parameters = model.namedParameters();
    using optimizer = new AdamW({ parameters, ...OPTIONS });
    await expectNoLeak(() => train(optimizer, parameters, [0, 1]) as undefined);
  });
});

describe('AdamW state and arguments', () => {
  beforeAll(async () => {
    await setupBackend('cpu');
  });

  it('goes on from a saved state exactly as if it had not stopped', async () => {
    using straight = new Pair();
    using optimizer = new AdamW({ parameters: straight.namedParameters(), ...OPTIONS });
    train(optimizer, straight.namedParameters(), [0, 1]);
    const [weights, moments] = [await straight.stateDict(), await optimizer.stateDict()];
    train(optimizer, straight.namedParameters(), [2, 3]);

    using resumed = new Pair();
    using other = new AdamW({ parameters: resumed.namedParameters(), ...OPTIONS });
    resumed.loadStateDict(weights);
    other.loadStateDict(moments);
    train(other, resumed.namedParameters(), [2, 3]);
    expect(await resumed.stateDict()).toEqual(await straight.stateDict());
    expect(await other.stateDict()).toEqual(await optimizer.stateDict());
  });

  it("names the moments after the weights, in PyTorch's layouts", async () => {
    using model = new Pair();
    using optimizer = new AdamW({ parameters: model.namedParameters(), ...OPTIONS });
    train(optimizer, model.namedParameters(), [0]);
    const state = await optimizer.stateDict();
    expect(state.get('conv.weight.exp_avg')?.shape).toEqual([2, 1, 3, 3]);
    expect(state.get('first.weight.exp_avg_sq')?.shape).toEqual([2, 3]);
    expect(state.get('first.bias.step')).toEqual({ dtype: 'int64', shape: [], data: BigInt64Array.of(1n) });
  });

  it('refuses the moments of other weights', async () => {
    using model = new Pair();
    using optimizer = new AdamW({ parameters: model.namedParameters(), lr: 1e-3 });
    const state = await optimizer.stateDict();
    state.delete('first.weight.exp_avg');
    expect(() => optimizer.loadStateDict(state)).toThrow(StateDictError);
  });

  it('frees its moments', async () => {
    using model = new Pair();
    await expectNoLeak(() => new AdamW({ parameters: model.namedParameters(), lr: 1e-3 }).dispose() as undefined);
  });

  it('names what is wrong', () => {
    using model = new Pair();
    const parameters = model.namedParameters();
    expect(() => new AdamW({ parameters, lr: -1 })).toThrow(ConfigError);
    expect(() => new AdamW({ parameters, lr: 1, betas: [0.9, 1] })).toThrow(/betas\[1\]/);
    using optimizer = new AdamW({ parameters, lr: 1e-3 });
    expect(() => {
      optimizer.lr = Number.NaN;
    }).toThrow(/lr/);
    expect(() => optimizer.step({ 'first.weigth': tf.scalar(0) })).toThrow(/first\.weigth/);
    expect(() => optimizer.step({ 'first.weight': tf.zeros([2, 3]) })).toThrow(ShapeError);
  });
});
