import { ConfigError, Rng, SaccadeError, ShapeError } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { DepthwiseConv } from './convolution.ts';
import { DropPath } from './DropPath.ts';
import { Linear } from './Linear.ts';
import { Module, ModuleList, variables } from './Module.ts';
import { BatchNorm, LayerNorm } from './normalization.ts';
import { type StateDict, StateDictError, type StateTensor } from './stateDict.ts';

class Block extends Module {
  readonly norm = this.child('norm', new BatchNorm(2));
  readonly conv: DepthwiseConv;
  readonly drop: DropPath;

  constructor(rng: Rng) {
    super();
    this.conv = this.child('conv', new DepthwiseConv(2, { kernel: [3, 1], rng: rng.fork('conv') }));
    this.drop = this.child('drop', new DropPath(0.5, rng.fork('drop')));
  }
}

class Net extends Module {
  readonly token = this.parameter('token', [1, 2]);
  readonly blocks: ModuleList<Block>;
  readonly head: Linear;

  constructor(seed = 1) {
    super();
    const rng = new Rng(seed);
    this.blocks = this.child('blocks', new ModuleList([new Block(rng.fork(0)), new Block(rng.fork(1))]));
    this.head = this.child('head', new Linear(2, 3, { rng: rng.fork('head') }));
  }

  forward(x: tf.Tensor2D): tf.Tensor2D {
    this.assertUsable();
    return this.head.forward(x);
  }
}

const block = (i: number) => [
  `blocks.${i}.norm.weight`,
  `blocks.${i}.norm.bias`,
  `blocks.${i}.norm.running_mean`,
  `blocks.${i}.norm.running_var`,
  `blocks.${i}.norm.num_batches_tracked`,
  `blocks.${i}.conv.weight`,
  `blocks.${i}.conv.bias`,
];

const plain = (dict: StateDict) =>
  Object.fromEntries(
    [...dict].map(([name, { dtype, shape, data }]) => [
      name,
      { dtype, shape, data: Array.from(data as ArrayLike<number>) },
    ]),
  );

const changed = (dict: StateDict, changes: Record<string, StateTensor | undefined>) => {
  const result = new Map(dict);
  for (const [name, tensor] of Object.entries(changes)) {
    if (tensor) result.set(name, tensor);
    else result.delete(name);
  }
  return result;
};

/** What `action` throws. */
function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return expect.fail('nothing was thrown');
}

describeOnBackends(
  'Module',
  () => {
    it('names weights and buffers as PyTorch does', async () => {
      using net = new Net();
      const dict = await net.stateDict();
      expect([...dict.keys()]).toEqual(['token', ...block(0), ...block(1), 'head.weight', 'head.bias']);
      expect([...net.namedModules()].map(([name]) => name)).toEqual([
        '',
        'blocks',
        'blocks.0',
        'blocks.0.norm',
        'blocks.0.conv',
        'blocks.0.drop',
        'blocks.1',
        'blocks.1.norm',
        'blocks.1.conv',
        'blocks.1.drop',
        'head',
      ]);
      expect(dict.get('blocks.1.conv.weight')?.shape).toEqual([2, 1, 3, 1]);
      expect([...net.stateShapes()]).toEqual([...dict].map(([name, { shape }]) => [name, { shape }]));
      expect(dict.get('head.weight')?.shape).toEqual([3, 2]);
    });

    it('names what a part of no name owns as its own', async () => {
      class Wrapper extends Module {
        readonly own = this.parameter('own', [1]);
        readonly part = this.child('', new Linear(2, 3, { rng: new Rng(1) }));
      }
      class Outer extends Module {
        readonly inner = this.child('inner', new Wrapper());
      }
      using wrapper = new Wrapper();
      expect([...(await wrapper.stateDict()).keys()]).toEqual(['own', 'weight', 'bias']);
      using outer = new Outer();
      expect([...outer.namedParameters().keys()]).toEqual(['inner.own', 'inner.weight', 'inner.bias']);
      const state = await outer.stateDict();
      using twin = new Outer();
      twin.loadStateDict(changed(state, { 'inner.bias': { dtype: 'float32', shape: [3], data: [1, 2, 3] } }));
      await expectClose(twin.inner.part.bias!.variable, [1, 2, 3]);
    });

    it('tells what is trained from what is only saved', () => {
      using net = new Net();
      const parameters = net.namedParameters();
      expect([...parameters.keys()]).toEqual(
        ['token', ...block(0), ...block(1), 'head.weight', 'head.bias'].filter((name) => !/running|tracked/.test(name)),
      );
      expect(net.parameterCount()).toBe(2 + 2 * (2 + 2 + 6 + 2) + 9);
      expect(variables(parameters).every(({ trainable }) => trainable)).toBe(true);
      expect(net.blocks.items[0]?.norm.runningMean.variable.trainable).toBe(false);
    });

    it('tells which weights are exempt from weight decay', () => {
      class Tables extends Module {
        readonly table = this.parameter('table', [2, 3], { decay: false });
        readonly matrix = this.parameter('matrix', [2, 3]);
      }
      using tables = new Tables();
      expect([...tables.namedParameters()].map(([name, { decay }]) => [name, decay])).toEqual([
        ['table', false],
        ['matrix', true],
      ]);
    });

    it('gives its weights to another module of its kind', async () => {
      using source = new Net(1);
      using target = new Net(2);
      source.blocks.items[1]?.norm.forward(tf.tensor2d([1, 2, 3, 5], [2, 2]));
      const dict = await source.stateDict();
      expect(plain(await target.stateDict())).not.toEqual(plain(dict));
      expect(target.loadStateDict(dict)).toEqual({ missing: [], unexpected: [], misshapen: [] });
      expect(plain(await target.stateDict())).toEqual(plain(dict));
      const x = tf.tensor2d([1, -2], [1, 2]);
      await expectClose(target.forward(x), source.forward(x), { tolerance: 0 });
    });

    it('takes values of other types: float64, lists, 64-bit integers', async () => {
      using linear = new Linear(1, 2, { rng: new Rng(1) });
      linear.loadStateDict(
        new Map<string, StateTensor>([
          ['weight', { dtype: 'float64', shape: [2, 1], data: Float64Array.of(0.5, -2) }],
          ['bias', { dtype: 'int64', shape: [2], data: BigInt64Array.of(3n, -4n) }],
        ]),
      );
      await expectClose(linear.forward(tf.tensor2d([[2]])), [4, -8], { tolerance: 0 });

      using norm = new BatchNorm(1);
      const dict = await norm.stateDict();
      const counted = (data: StateTensor['data']) => {
        norm.loadStateDict(changed(dict, { num_batches_tracked: { dtype: 'int64', shape: [], data } }));
        return norm.batches.value;
      };
      expect(counted(BigInt64Array.of(2n ** 60n))).toBe(2n ** 60n);
      expect(counted([7])).toBe(7n);
    });

    it('refuses a state dict that does not fit, and says all that differs', async () => {
      using net = new Net();
      const dict = changed(await net.stateDict(), {
        token: undefined,
        'head.weight': { dtype: 'float32', shape: [1000, 2], data: new Float32Array(2000) },
        'head.scale': { dtype: 'float32', shape: [], data: [1] },
      });
      const error = thrownBy(() => net.loadStateDict(dict)) as StateDictError;
      expect(error).toBeInstanceOf(StateDictError);
      expect(error).toBeInstanceOf(SaccadeError);
      expect(error.report).toEqual({
        missing: ['token'],
        unexpected: ['head.scale'],
        misshapen: [{ name: 'head.weight', expected: [3, 2], actual: [1000, 2] }],
      });
      expect(error.message).toMatchInlineSnapshot(`
        "stateDict: it does not fit this model; nothing was loaded.
        1 missing in the state dict:
          token
        1 unexpected in the state dict:
          head.scale
        1 of another shape:
          head.weight: expected [3,2], got [1000,2]
        Load a checkpoint of this architecture and class count, or pass {strict: false} to leave out what is missing or unexpected."
      `);
    });

    it('shortens long lists in the message, not in the report', () => {
      using list = new ModuleList(Array.from({ length: 10 }, () => new LayerNorm(1, 1e-6)));
      const { message, report } = thrownBy(() => list.loadStateDict(new Map())) as StateDictError;
      expect(report.missing).toHaveLength(20);
      expect(message).toContain('20 missing in the state dict:\n  0.weight\n');
      expect(message).toContain('  5.bias\n  ... and 8 more\n');
    });

    it('loads all or nothing', async () => {
      using net = new Net(1);
      using other = new Net(2);
      const before = plain(await net.stateDict());
      const good = await other.stateDict();
      const bias = 'head.bias';
      for (const [Type, tensor] of [
        [StateDictError, { dtype: 'float32', shape: [4], data: [1, 2, 3, 4] }],
        // The shape is right, but there are too few values: a file that lies.
        [ShapeError, { dtype: 'float32', shape: [3], data: [1, 2] }],
      ] as const) {
        expect(() => net.loadStateDict(changed(good, { [bias]: tensor }))).toThrow(Type);
        expect(() => net.loadStateDict(changed(good, { [bias]: tensor }), { strict: false })).toThrow(Type);
      }
      const counter = 'blocks.1.norm.num_batches_tracked';
      for (const data of [[Number.NaN], [0.5], [], [1, 2]]) {
        const wrong = changed(good, { [counter]: { dtype: 'float32', shape: [], data } });
        expect(() => net.loadStateDict(wrong)).toThrow(data.length === 1 ? ConfigError : ShapeError);
      }
      expect(() => net.loadStateDict(changed(good, { [bias]: undefined }))).toThrow(StateDictError);
      expect(plain(await net.stateDict())).toEqual(before);
    });

    it('leaves out what one side lacks where it may, and reports it', async () => {
      using net = new Net(1);
      using other = new Net(2);
      const before = await net.stateDict();
      const dict = changed(await other.stateDict(), {
        'head.bias': undefined,
        extra: { dtype: 'float32', shape: [1], data: [1] },
      });
      expect(net.loadStateDict(dict, { strict: false })).toEqual({
        missing: ['head.bias'],
        unexpected: ['extra'],
        misshapen: [],
      });
      const after = plain(await net.stateDict());
      expect(after['head.weight']).toEqual(plain(dict)['head.weight']);
      expect(after['head.bias']).toEqual(plain(before)['head.bias']);
    });

    it('starts in training mode and passes modes on to all parts', () => {
      using net = new Net();
      const modes = () => [...net.namedModules()].map(([, { training }]) => training);
      expect(new Set(modes())).toEqual(new Set([true]));
      expect(net.eval()).toBe(net);
      expect(new Set(modes())).toEqual(new Set([false]));
      net.blocks.train();
      expect([net.training, net.blocks.items[1]?.drop.training, net.head.training]).toEqual([false, true, false]);
    });

    it('frees all of its weights, once', async () => {
      await expectNoLeak(() => {
        const net = new Net();
        net.dispose();
        net.dispose();
        return [];
      });
      await expectNoLeak(() => {
        using net = new Net();
        expect(net.training).toBe(true);
        return [];
      });
    });

    it('cannot be used after that, and says so', async () => {
      const net = new Net();
      const dict = await net.stateDict();
      net.dispose();
      const message = 'Net: used after dispose().';
      expect(() => net.forward(tf.ones([1, 2]))).toThrow(new SaccadeError(message));
      expect(() => net.loadStateDict(dict)).toThrow(new SaccadeError(message));
      await expect(net.stateDict()).rejects.toThrow(new SaccadeError(message));
      expect(() => net.head.forward(tf.ones([1, 2]))).toThrow(new SaccadeError('Linear: used after dispose().'));
    });

    it('loads without leaving tensors behind', async () => {
      using net = new Net();
      const dict = await net.stateDict();
      await expectNoLeak(() => {
        net.loadStateDict(dict);
        return [];
      });
    });

    it('survives a tidy around its construction', async () => {
      const built: Linear[] = [];
      tf.tidy(() => {
        built.push(new Linear(2, 2, { rng: new Rng(3) }));
      });
      using linear = built[0] as Linear;
      expect((await linear.stateDict()).get('bias')?.data).toEqual(new Float32Array(2));
    });
  },
  { backends: ['cpu'] },
);
