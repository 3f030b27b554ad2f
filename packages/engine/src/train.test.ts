import { BatchNorm, Linear, Module } from '@saccade/nn';
import { ConfigError, Rng } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { describeOnBackends } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { AdamW } from './AdamW.ts';
import { type BatchSource, batchesInOrder, EpochOrder, type StepSource } from './data.ts';
import { DivergedError } from './errors.ts';
import { evaluate } from './evaluate.ts';
import { crossEntropy } from './losses.ts';
import type { Optimizer } from './optimizer.ts';
import { SGD } from './SGD.ts';
import { warmupCosine } from './schedules.ts';
import type { TrainingState } from './state.ts';
import { type TrainingProgress, type TrainOptions, train } from './train.ts';

/** Two layers with batch statistics: what a run has to carry is all in it. */
class Tiny extends Module {
  readonly fc1: Linear;
  readonly norm = this.child('norm', new BatchNorm(8));
  readonly fc2: Linear;

  constructor(seed: number) {
    super();
    const rng = new Rng(seed);
    this.fc1 = this.child('fc1', new Linear(2, 8, { rng }));
    this.fc2 = this.child('fc2', new Linear(8, 2, { rng }));
  }

  forward(x: tf.Tensor2D): tf.Tensor2D {
    return this.fc2.forward(tf.relu(this.norm.forward(this.fc1.forward(x))));
  }
}

/** Points of the plane; the class says whether they lie in the disc of radius 1. */
function points(length: number): BatchSource<tf.Tensor2D, Int32Array> {
  const rng = new Rng(5);
  const all = Array.from({ length }, () => [rng.normal(), rng.normal()] as const);
  return {
    length,
    batch(indices) {
      const chosen = indices.map((i) => all[i] as readonly [number, number]);
      const inputs = tf.tensor2d(chosen.map(([x, y]) => [x, y]));
      return { inputs, labels: Int32Array.from(chosen, ([x, y]) => (x * x + y * y < 1.4 ? 1 : 0)) };
    },
  };
}

interface Run {
  readonly model: Tiny;
  readonly optimizer: Optimizer;
  dispose(): void;
}

const adamW = (model: Tiny): Optimizer =>
  new AdamW({ parameters: model.namedParameters(), lr: 0.02, weightDecay: 0.05 });
const sgd = (model: Tiny): Optimizer =>
  new SGD({ parameters: model.namedParameters(), lr: 0.02, momentum: 0.9, weightDecay: 0.05 });

function start(make = adamW): Run {
  const model = new Tiny(3);
  const optimizer = make(model);
  return {
    model,
    optimizer,
    dispose() {
      model.dispose();
      optimizer.dispose();
    },
  };
}

type Changes = Partial<TrainOptions<tf.Tensor2D>>;

const SCHEDULE = warmupCosine({ base: 0.02, warmupSteps: 2, totalSteps: 6 });

function go({ model, optimizer }: Run, changes: Changes = {}): Promise<TrainingProgress | undefined> {
  return train({
    model,
    optimizer,
    schedule: SCHEDULE,
    data: points(20),
    batchSize: 6,
    steps: 6,
    seed: 11,
    ...changes,
  });
}

describe('train', () => {
  beforeAll(async () => {
    await setupBackend('cpu');
  });

  it.each([
    ['AdamW', adamW],
    ['SGD', sgd],
  ])('resumed from a checkpoint ends at the same bits as a run that never stopped: %s', async (_, make) => {
    const straight = start(make);
    await go(straight);

    const states: TrainingState[] = [];
    const interrupted = start(make);
    const abort = new AbortController();
    const reason = new Error('enough');
    const onProgress = ({ step }: TrainingProgress) => {
      if (step === 3) abort.abort(reason);
    };
    const onCheckpoint = (state: TrainingState) => {
      states.push(state);
    };
    await expect(go(interrupted, { signal: abort.signal, onProgress, onCheckpoint })).rejects.toBe(reason);
    expect(states.map(({ metadata }) => metadata.get('step'))).toEqual(['3']);

    const resumed = start(make);
    const steps: number[] = [];
    await go(resumed, { resume: states[0], onProgress: ({ step }) => steps.push(step) });
    expect(steps).toEqual([4, 5, 6]);
    expect(await resumed.model.stateDict()).toEqual(await straight.model.stateDict());
    expect(await resumed.optimizer.stateDict()).toEqual(await straight.optimizer.stateDict());
    for (const run of [straight, interrupted, resumed]) run.dispose();
  });

  it('stores a checkpoint every so many steps and after the last', async () => {
    const run = start();
    const steps: (string | undefined)[] = [];
    await go(run, { checkpointEvery: 4, onCheckpoint: ({ metadata }) => void steps.push(metadata.get('step')) });
    expect(steps).toEqual(['4', '6']);
    run.dispose();
  });

  it('takes batches by the number of their step, and is the same run', async () => {
    const [samples, order] = [points(20), new EpochOrder(20, 6, 11)];
    const asked: [number, number][] = [];
    const data: StepSource<tf.Tensor2D, Int32Array> = {
      seed: 11,
      epochOf: (step) => order.epochOf(step),
      at(step, { end }) {
        asked.push([step, end]);
        return samples.batch(order.indices(step));
      },
    };
    const [straight, stepped] = [start(), start()];
    const expected = await go(straight);
    const last = await train({ ...stepped, data, steps: 6, schedule: SCHEDULE });
    expect(asked).toEqual([0, 1, 2, 3, 4, 5].map((step) => [step, 6]));
    expect(last).toEqual({ ...expected, remainingMs: 0 });
    expect(await stepped.model.stateDict()).toEqual(await straight.model.stateDict());
    await expect(go(stepped, { data, seed: 12 })).rejects.toThrow(/seed/);
    await expect(train({ ...stepped, data: samples, steps: 1 })).rejects.toThrow(/batchSize/);
    for (const run of [straight, stepped]) run.dispose();
  });

  it('stores a checkpoint when it is aborted while it waits for a batch', async () => {
    const run = start();
    const samples = points(20);
    const abort = new AbortController();
    const data: StepSource<tf.Tensor2D, Int32Array> = {
      seed: 0,
      epochOf: () => 0,
      at: (step, { signal }) =>
        step < 2
          ? samples.batch([0, 1, 2])
          : new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
    };
    const stored: (string | undefined)[] = [];
    const running = train({
      ...run,
      data,
      steps: 6,
      signal: abort.signal,
      onCheckpoint: ({ metadata }) => void stored.push(metadata.get('step')),
      onProgress: ({ step }) => {
        if (step === 2) setImmediate(() => abort.abort(new Error('enough')));
      },
    });
    await expect(running).rejects.toThrow('enough');
    expect(stored).toEqual(['2']);
    run.dispose();
  });

  it('gives timers a turn between steps', async () => {
    const run = start();
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await go(run, { steps: 40, schedule: () => 0.01 });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(1);
    run.dispose();
  });

  it('reports rate, epoch and loss', async () => {
    const run = start();
    const seen: TrainingProgress[] = [];
    const last = await go(run, { onProgress: (progress) => void seen.push(progress), clipNorm: 0.5 });
    expect(seen.map(({ epoch }) => epoch)).toEqual([0, 0, 0, 1, 1, 1]);
    expect(seen[1]?.learningRate).toBeCloseTo(0.01, 5);
    expect(seen.at(-1)).toBe(last);
    expect(last?.remainingMs).toBe(0);
    expect(seen.every(({ loss, accuracy }) => loss > 0 && accuracy !== undefined && accuracy <= 1)).toBe(true);
    run.dispose();
  });

  it('stops at a loss that is not a number, with the weights of the step before', async () => {
    const run = start();
    const before = await run.model.fc1.weight.read();
    const broken: Changes = { loss: (logits, labels) => tf.mul(crossEntropy(logits, labels), Number.NaN) };
    await expect(go(run, broken)).rejects.toThrow(DivergedError);
    expect(await run.model.fc1.weight.read()).toEqual(before);
    run.dispose();
  });

  it('refuses the state of another run, and what is no state', async () => {
    const run = start();
    let state: TrainingState | undefined;
    await go(run, {
      onCheckpoint: (stored) => {
        state = stored;
      },
    });
    await expect(go(run, { resume: state, seed: 12 })).rejects.toThrow(/seed/);
    const foreign = { tensors: new Map(), metadata: new Map([['seed', '11']]) };
    await expect(go(run, { resume: foreign })).rejects.toThrow(ConfigError);
    run.dispose();
  });
});

describeOnBackends(
  'a long run',
  () => {
    it('learns, and 1,000 steps leave as many tensors as there were before', async () => {
      const run = start();
      const data = points(64);
      await go(run, { data, batchSize: 16, steps: 3 });
      const before = tf.memory().numTensors;
      const losses: number[] = [];
      await go(run, {
        data,
        batchSize: 16,
        steps: 1000,
        schedule: warmupCosine({ base: 0.02, warmupSteps: 20, totalSteps: 1000 }),
        clipNorm: 5,
        onProgress: ({ loss }) => losses.push(loss),
      });
      expect(tf.memory().numTensors).toBe(before);
      const mean = (part: readonly number[]) => part.reduce((sum, loss) => sum + loss, 0) / part.length;
      expect(mean(losses.slice(-50))).toBeLessThan(0.5 * mean(losses.slice(0, 10)));

      const { accuracy, confusion, logits, labels } = await evaluate(run.model, batchesInOrder(data, 10));
      expect(accuracy).toBeGreaterThan(0.9);
      expect(confusion.accuracy).toBe(accuracy);
      expect([logits.length, labels.length]).toEqual([128, 64]);
      expect(run.model.training).toBe(true);
      expect(tf.memory().numTensors).toBe(before);
      run.dispose();
    });
  },
  { backends: ['wasm'] },
);

describe('evaluate', () => {
  it('stops when asked and leaves no tensor and no changed mode', async () => {
    await setupBackend('cpu');
    const { model, dispose } = start();
    const before = tf.memory().numTensors;
    const abort = new AbortController();
    const stop = evaluate(model, batchesInOrder(points(40), 10), {
      signal: abort.signal,
      onProgress: ({ samples }) => samples === 20 && abort.abort(),
    });
    await expect(stop).rejects.toThrow(expect.objectContaining({ name: 'AbortError' }));
    expect(tf.memory().numTensors).toBe(before);
    expect(model.training).toBe(true);
    dispose();
  });
});
