import { Rng } from '@saccade/tensor-ops';
import { describeOnBackends, expectClose, expectNoLeak } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { AIA_VARIANTS, type AIAVariant, AttentionInAttention, aia } from './AttentionInAttention.ts';
import type { GateMaps } from './attention.ts';
import { ContextAttention, type ContextOperator } from './ContextAttention.ts';
import { aiaCost } from './cost.ts';

function clip(seed = 1): tf.Tensor5D {
  const rng = new Rng(seed);
  return tf.tensor5d(
    Float32Array.from({ length: 2 * 3 * 4 * 2 * 5 }, () => rng.normal()),
    [2, 3, 4, 2, 5],
  );
}

describeOnBackends(
  'AttentionInAttention',
  () => {
    it('names its state as the public code does', async () => {
      const names = async (variant: AIAVariant) => {
        using gate = new AttentionInAttention({ variant });
        return [...(await gate.stateDict())].map(([name, { shape }]) => `${name} [${shape}]`);
      };
      expect(await names('C')).toEqual([
        'eft.C_conv.weight [1,2,3,3,3]',
        'eft.C_bn.weight [1]',
        'eft.C_bn.bias [1]',
        'eft.C_bn.running_mean [1]',
        'eft.C_bn.running_var [1]',
        'eft.C_bn.num_batches_tracked []',
      ]);
      expect(await names('CinST')).toHaveLength(24);
      const combined = await names('ST2C');
      expect(combined.filter((name) => name.startsWith('eft1.T_conv'))).toHaveLength(1);
      expect(combined.filter((name) => name.startsWith('eft2.C_conv'))).toHaveLength(1);
      expect(combined).toHaveLength(18 + 6);
    });

    it('combines operators one after the other, or as their mean', async () => {
      const x = clip();
      for (const variant of AIA_VARIANTS) {
        using gate = new AttentionInAttention({ variant, rng: new Rng(3) });
        gate.eval();
        const [first, second] = gate.operators as [ContextAttention, ContextAttention?];
        const expected = tf.tidy(() => {
          if (!second) return first.forward(x);
          if (variant.includes('plus')) return tf.div(tf.add(first.forward(x), second.forward(x)), 2);
          return second.forward(first.forward(x));
        });
        expect(
          [first, second].flatMap((part) => part?.operator ?? []).join(variant.includes('plus') ? 'plus' : '2'),
        ).toBe(variant);
        await expectClose(gate.forward(x), expected);
      }
    });

    it('tells the two versions of STinC apart', async () => {
      const x = clip();
      const outputs = (['august', 'june'] as const).map((stincVersion) => {
        using gate = new AttentionInAttention({ variant: 'STinC', stincVersion, rng: new Rng(5) });
        return gate.eval().forward(x);
      }) as [tf.Tensor, tf.Tensor];
      const difference = tf.max(tf.abs(tf.sub(...outputs)));
      expect((await difference.data())[0]).toBeGreaterThan(1e-3);
    });

    it('hands out its gates', async () => {
      using gate = new AttentionInAttention({ variant: 'CinST' });
      let shapes: Record<string, number[]> = {};
      (gate.operators[0] as ContextAttention).recorder = (maps: GateMaps) => {
        shapes = Object.fromEntries(Object.entries(maps).map(([axis, map]) => [axis, map.shape]));
      };
      const x = clip();
      await expectNoLeak(() => gate.forward(x));
      expect(shapes).toEqual({ channel: [2, 3, 4, 2], time: [2, 4, 2, 5], height: [2, 3, 2, 5], width: [2, 3, 4, 5] });
    });

    it('frees what it owns', async () => {
      await expectNoLeak(() => new AttentionInAttention({ variant: 'STinC2CinST' }).dispose());
      const gate = new AttentionInAttention();
      gate.dispose();
      expect(() => gate.forward(clip())).toThrow(/dispose/);
    });
  },
  { backends: ['cpu'] },
);

describe('first weights', () => {
  /** Standard deviation over many instances, since one filter has only 54 values. */
  async function spread(operator: ContextOperator, letter: string): Promise<number> {
    let [sum, count] = [0, 0];
    for (let seed = 0; seed < 60; seed++) {
      using layer = new ContextAttention({ operator, rng: new Rng(seed) });
      const { data } = (await layer.stateDict()).get(`${letter}_conv.weight`) as { data: Float32Array };
      for (const value of data) sum += value ** 2;
      count += data.length;
    }
    return Math.sqrt(sum / count);
  }

  it.each([
    ['C', 'C', Math.sqrt(2 / 27)],
    ['ST', 'W', Math.sqrt(2 / 27)],
    ['STinC', 'C', Math.sqrt(2 / 81)],
    ['STinC', 'H', Math.sqrt(2 / 27)],
    ['CinST', 'C', Math.sqrt(2 / 27)],
    ['CinST', 'T', Math.sqrt(2 / 81)],
    ['CinST', 'H', Math.sqrt(2 / 81)],
    ['CinST', 'W', 1 / Math.sqrt(3 * 54)],
  ] as const)('of %s, %s_conv spread by %d', async (operator, letter, std) => {
    // 3240 values: the spread of their spread is about 1.3 %.
    expect(Math.abs((await spread(operator, letter)) / std - 1)).toBeLessThan(0.06);
  });

  it('differ between gates and between seeds, and repeat for one seed', async () => {
    const weight = async (seed: number, letter: string) => {
      using layer = new ContextAttention({ operator: 'ST', rng: new Rng(seed) });
      const { data } = (await layer.stateDict()).get(`${letter}_conv.weight`) as { data: Float32Array };
      return [...data];
    };
    expect(await weight(1, 'T')).toEqual(await weight(1, 'T'));
    expect(await weight(1, 'T')).not.toEqual(await weight(1, 'H'));
    expect(await weight(1, 'T')).not.toEqual(await weight(2, 'T'));
  });
});

describe('aia', () => {
  it('says what it costs: the trained values and MACs of the specification', () => {
    const params = (variant: AIAVariant) => aia({ variant }).cost({ channels: 64, grid: [8, 56, 56] }).params;
    expect([params('C'), params('ST'), params('CinST'), params('STinC'), params('CplusST')]).toEqual([
      56, 168, 224, 224, 224,
    ]);
    expect([params('CinST2STinC'), params('STinCplusCinST')]).toEqual([448, 448]);
    // 8 frames, the four stages of a ResNet-50 at 224x224: 15.29, 8.85, 5.89 and 4.47 million a block.
    const macs = [
      [64, 56],
      [128, 28],
      [256, 14],
      [512, 7],
    ].map(
      ([channels, side]) =>
        aia().cost({ channels: channels as number, grid: [8, side as number, side as number] }).macs,
    );
    expect(macs.map((value) => (value / 1e6).toFixed(2))).toEqual(['15.29', '8.85', '5.89', '4.47']);
  });

  it('counts what the modules hold', () => {
    for (const variant of AIA_VARIANTS) {
      for (const batchNorm of [true, false]) {
        using gate = new AttentionInAttention({ variant, batchNorm });
        const cost = aiaCost({
          operators: gate.operators.map(({ operator }) => operator),
          channels: 4,
          grid: [2, 3, 4],
          batchNorm,
        });
        expect(gate.parameterCount()).toBe(cost.params);
      }
    }
  });

  it('refuses what does not exist, with what does', () => {
    expect(() => aia({ variant: 'TinC' as AIAVariant })).toThrow(/variant.*C2ST/);
    expect(() => new ContextAttention({ operator: 'T' as ContextOperator })).toThrow(/operator.*CinST/);
    expect(() => new ContextAttention({ operator: 'C', stincVersion: 'july' as 'june' })).toThrow(/august or june/);
  });

  it('has a name that says which', () => {
    expect(aia().name).toBe('aia-CinST');
    expect(aia({ variant: 'STinC', stincVersion: 'june', batchNorm: false }).name).toBe('aia-STinC-june-nobn');
  });
});
