import { attention, Rng } from '@saccade/tensor-ops';
import { describeOnBackends, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Bench, Comparison, Peer, PeerTask, SuitePlace } from '../../core/comparison.ts';
import { MEASURE, measureComparison } from '../../core/measure.ts';
import { functionContender } from '../support/functionWork.ts';
import { InputTensors } from '../support/inputs.ts';
import { tooLarge } from '../support/memory.ts';
import { testBench } from '../support/testing.ts';
import { aiaGates } from './aia.ts';
import { operatorComparison } from './comparison.ts';
import { dgAttention, groupsOf } from './dgAttention.ts';
import { operatorsSuite } from './index.ts';
import { lisa } from './lisa.ts';
import { mapsOf } from './operator.ts';
import { headsApart, headsMerged } from './peers.ts';
import { plainAttention, plainSamples } from './plain.ts';
import { type OperatorPoint, pointsOf, tokensOf } from './point.ts';
import { structSA } from './structSA.ts';
import { windowedAttention } from './windowed.ts';

const SMALL: OperatorPoint = { tokens: 49, headDim: 64, batch: 1, direction: 'forward' };
const place = (parts: Partial<SuitePlace> = {}): SuitePlace => ({
  ...{ home: 'node', backend: 'wasm', softwareGpu: false, scale: 'full' },
  ...parts,
});

describe('the list of comparisons', () => {
  it('is made without a backend, and has every size, small ones first', () => {
    const listed = operatorsSuite.comparisons(place({ backend: 'webgpu' }));
    expect(listed).toHaveLength(6 * 2 * 2 * 2);
    expect(new Set(listed.map(({ id }) => id)).size).toBe(48);
    for (const { id } of listed) expect(id).toMatch(/^[\w.\-/]+$/);
    expect(listed[0]?.parameters.tokens).toBe(49);
    expect(listed.at(-1)?.parameters).toEqual({
      ...{ tokens: 12544, channels: 192, headDim: 64, batch: 8, direction: 'forward+backward' },
    });
  });

  it('is short where a processor plays the GPU or computes in JavaScript', () => {
    for (const where of [place({ backend: 'cpu' }), place({ backend: 'webgpu', softwareGpu: true })]) {
      const points = pointsOf(where);
      expect(points.length).toBeGreaterThan(0);
      expect(points.every(({ tokens, batch }) => tokens <= 196 && batch === 1)).toBe(true);
      expect(pointsOf({ ...where, scale: 'quick' })).toEqual([SMALL]);
    }
  });
});

describe('sizes', () => {
  it('of groups follow the tokens', () => expect([49, 196, 784, 12544].map(groupsOf)).toEqual([3, 12, 48, 48]));

  it('of maps are known before they are made', () => {
    const limits = { tensor: 1.5 * 2 ** 30, total: 1.5 * 2 ** 30 };
    const maps = (tokens: number, count: number) => mapsOf({ ...SMALL, tokens }, count);
    expect(maps(12544, 2)).toEqual({ bytes: 4 * 3 * 12544 ** 2, count: 2 });
    expect(tooLarge(maps(3136, 5), limits)).toBeUndefined();
    expect(tooLarge(maps(12544, 1), limits)).toEqual({
      status: 'skipped',
      reason: 'a map of queries by keys has 1.76 GiB, of 1.50 GiB for one tensor',
    });
    expect(tooLarge(maps(3136, 20), limits)?.reason).toMatch(/^20 maps of queries by keys need 2\.20 GiB/);
  });

  it('of heads: numbers go apart and together again', () => {
    const point: OperatorPoint = { tokens: 3, headDim: 32, batch: 8, direction: 'forward' };
    const rng = new Rng(2);
    const values = Float32Array.from({ length: 8 * 3 * 192 }, () => rng.normal());
    const apart = headsApart(values, point);
    // [b = 2, h = 4, n = 1, e = 7]
    expect(apart[((2 * 6 + 4) * 3 + 1) * 32 + 7]).toBe(values[(2 * 3 + 1) * 192 + 4 * 32 + 7]);
    expect(headsMerged(apart, point)).toEqual(values);
    expect(() => headsMerged(apart.subarray(1), point)).toThrow(/4607 numbers/);
  });
});

describeOnBackends(
  'operators',
  (backend) => {
    const directions = backend.name === 'wasm' ? (['forward', 'forward+backward'] as const) : (['forward'] as const);

    it.each(directions)('are right, %s, and leave nothing behind', async (direction) => {
      await expectNoLeak(async () => {
        const prepared = await operatorComparison({ ...SMALL, direction }).prepare(testBench(backend));
        const names = prepared.contenders.map(({ name }) => name);
        expect(names).toContain('LiSA');
        expect(names.includes('plain attention (fused)')).toBe(backend.name === 'webgpu');
        const absent = prepared.absent?.map(({ name, role }) => `${role} ${name}`);
        const fused = ['saccade plain attention (fused)', 'saccade StructSA (fused)'];
        expect(absent).toEqual(backend.name === 'webgpu' ? [] : fused);
        for (const contender of prepared.contenders) {
          const { error, tolerance } = await contender.check();
          expect(error, contender.name).toBeLessThanOrEqual(tolerance);
        }
        await prepared.dispose();
        return [];
      });
    });

    it('are refused when one head of one operator is off by a thousandth', async () => {
      const [tokens, bench] = [tokensOf(SMALL), testBench(backend)];
      const factories = [plainAttention, windowedAttention, structSA, lisa, dgAttention, aiaGates];
      const store = new InputTensors();
      const heads = [1, 1, 1.001].flatMap((factor) => new Array<number>(64).fill(factor));
      let tried = 0;
      for (const work of factories.flatMap((make) => make(SMALL, tokens, bench, () => plainSamples(SMALL, tokens)))) {
        if ('reason' in work) continue;
        const apply: typeof work.apply = (tensors) => tf.mul(work.apply(tensors), tf.tensor1d(heads));
        // Against the definition alone: the explicit path would be spoiled likewise.
        const off = functionContender(bench, store, { ...work, apply, explicit: false }, 'forward');
        const { error, tolerance } = await off.check();
        expect(error, work.name).toBeGreaterThan(tolerance);
        tried++;
      }
      expect(tried).toBe(backend.name === 'webgpu' ? 10 : 8);
      store.dispose();
    });
  },
  { backends: ['wasm', 'webgpu'] },
);

describeOnBackends(
  'a comparison of operators',
  (backend) => {
    const bench = (parts: Partial<Bench> = {}) => testBench(backend, parts);

    it('has rows with ratios to plain attention, and says why the kernels are missing', async () => {
      const options = {
        ...MEASURE.quick,
        samples: 2,
        mostSamples: 2,
        steadyMs: 1,
        shortestSampleMs: 0.1,
        budgetMs: 60_000,
      };
      const rows = await measureComparison(operatorComparison(SMALL), { bench: bench(), options });
      const timed = rows.filter(({ status }) => status === 'measured');
      expect(timed).toHaveLength(8);
      for (const { baseline, timeRatio } of timed) {
        expect(baseline).toBe('plain attention (explicit)');
        expect(timeRatio?.value).toBeGreaterThan(0);
      }
      const fused = rows.find(({ contender }) => contender === 'plain attention (fused)');
      expect(fused).toMatchObject({ status: 'absent', role: 'saccade' });
      expect(fused?.reason).toMatch(/no kernel SaccadeAttention/);
      const dg = rows.find(({ contender }) => contender === 'DG-Attention');
      expect(dg?.cost?.macs).toBe(2 * 49 * 49 * 192 + 2 * 49 * 3 * 192);
    });

    it('does not allocate what is too large: the baseline is the first that fits', async () => {
      const peer: Peer = {
        name: 'a peer',
        prepare: () => Promise.reject(new Error('it must not be asked')),
        dispose: () => undefined,
      };
      const prepared = await operatorComparison({ ...SMALL, tokens: 12544 }).prepare(bench({ peers: [peer] }));
      const skipped = prepared.absent?.filter(({ status }) => status === 'skipped');
      expect(skipped?.map(({ name }) => name)).toEqual([
        'plain attention (explicit)',
        'tfjs ops',
        'StructSA (explicit)',
        'a peer',
      ]);
      expect(skipped?.[0]?.reason).toMatch(/1\.76 GiB/);
      expect(prepared.baseline).toBe('windowed attention');
      await prepared.dispose();
    });

    it('asks peers, refuses a wrong one, and names those that are absent', async () => {
      const seen: PeerTask[] = [];
      let disposed = 0;
      const peer = (name: string, factor: number): Peer => ({
        name,
        async prepare(task) {
          seen.push(task);
          if (task.kind !== 'attention') return { name, reason: 'only attention' };
          const [q, k, v] = [task.q, task.k, task.v].map((x) => tf.tensor4d(x, [...task.shape])) as [
            tf.Tensor4D,
            tf.Tensor4D,
            tf.Tensor4D,
          ];
          return {
            engine: `${name} 1.0`,
            run: async () => undefined,
            async result() {
              const y = tf.tidy(() => tf.mul(attention(q, k, v), factor));
              const values = await y.data();
              y.dispose();
              return values as Float32Array;
            },
            dispose() {
              disposed++;
              tf.dispose([q, k, v]);
            },
          };
        },
        dispose: () => undefined,
      });
      const failing: Peer = {
        ...peer('broken', 1),
        prepare: () => Promise.reject(new Error('no session')),
      };
      const absentPeers = [{ name: 'PyTorch', reason: 'no python3 with torch' }];
      const peers = [peer('right', 1), peer('wrong', 1.01), failing];
      await expectNoLeak(async () => {
        const prepared = await operatorComparison(SMALL).prepare(bench({ peers, absentPeers }));
        expect(prepared.absent?.filter(({ role }) => role !== 'saccade')).toEqual([
          ...absentPeers,
          { name: 'broken', reason: 'no session' },
        ]);
        const passes = async (name: string) => {
          const found = prepared.contenders.find((contender) => contender.name === name);
          const { error, tolerance, against } = (await found?.check()) ?? {};
          expect(against).toBe('plain attention (explicit)');
          return (error as number) <= (tolerance as number);
        };
        expect([await passes('right'), await passes('wrong')]).toEqual([true, false]);
        await prepared.dispose();
        return [];
      });
      expect([seen[0]?.kind, disposed]).toEqual(['attention', 2]);
      const backward: Comparison = operatorComparison({ ...SMALL, direction: 'forward+backward' });
      const prepared = await backward.prepare(bench({ peers, absentPeers }));
      expect(prepared.contenders.some(({ name }) => name === 'right')).toBe(false);
      await prepared.dispose();
    });
  },
  { backends: ['wasm'] },
);
