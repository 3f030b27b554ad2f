import { ConfigError, product, Rng, ShapeError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { resizeTables } from './resize.ts';
import { resizeLisaTables } from './resizeState.ts';
import { centreIndex, type LisaGrid, type LisaPadding, tableShape } from './tables.ts';
import { normal } from './testing/problem.ts';

const grids = fc
  .integer({ min: 1, max: 3 })
  .chain((rank) =>
    fc.tuple(...[0, 1].map(() => fc.array(fc.integer({ min: 1, max: 6 }), { minLength: rank, maxLength: rank }))),
  ) as unknown as fc.Arbitrary<[LisaGrid, LisaGrid]>;
const paddings = fc.constantFrom<LisaPadding>('zero', 'circular');

describeOnBackends('resizeTables', ({ name }) => {
  const runs = { numRuns: name === 'webgpu' ? 4 : 25, seed: 1 };

  it('reads between entries, ends at ends: 4 -> 6', async () => {
    const table = tf.tensor([1, 2, 4, 8, 4, 2, 1], [1, 7]);
    const expected = [1, 1.6, 2.4, 3.6, 5.6, 8, 5.6, 3.6, 2.4, 1.6, 1];
    await expectClose(resizeTables(table, { from: [4], to: [6], area: false }), expected);
    await expectClose(
      resizeTables(table, { from: [4], to: [6] }),
      expected.map((x) => (x * 4) / 6),
    );
  });

  it('goes around the corner: 4 -> 6', async () => {
    const table = tf.tensor([3, 0, 6, 9], [4]);
    const expected = [3, 1, 2, 6, 8, 7];
    await expectClose(resizeTables(table, { from: [4], to: [6], padding: 'circular', area: false }), expected);
  });

  it('keeps everything on the same grid, constants, and the entry at offset 0', () =>
    fc.assert(
      fc.asyncProperty(grids, paddings, async ([from, to], padding) => {
        const shape = [2, ...tableShape(from, padding)];
        const [same, constant, resized] = tf.tidy(() => {
          const table = tf.tensor(normal(new Rng(3), product(shape)), shape);
          return [
            resizeTables(table, { from, to: from, padding }),
            resizeTables(tf.onesLike(table), { from, to, padding, area: false }),
            resizeTables(table, { from, to, padding, area: false }),
          ];
        }) as [tf.Tensor, tf.Tensor, tf.Tensor];
        const values = normal(new Rng(3), product(shape));
        await expectClose(same, values);
        expect(constant.shape).toEqual([2, ...tableShape(to, padding)]);
        await expectClose(constant, new Float32Array(constant.size).fill(1));
        const [old, fresh] = [product(tableShape(from, padding)), product(tableShape(to, padding))];
        const [before, after] = [centreIndex(from, padding), centreIndex(to, padding)];
        const read = await resized.data();
        await expectClose(
          [read[after], read[fresh + after]] as number[],
          [values[before], values[old + before]] as number[],
        );
        tf.dispose([same, constant, resized]);
      }),
      runs,
    ));

  it('has the gradients of finite differences, and leaves nothing behind', async () => {
    const table = tf.tensor(normal(new Rng(4), 2 * 3 * 5), [2, 3, 5]);
    const f = (x: tf.Tensor) => resizeTables(x, { from: [2, 3], to: [3, 2] });
    await finiteDifference(f, [table]);
    await expectNoLeak(() => f(table));
  });

  it('resizes the tables of state dicts to the shapes of a model', async () => {
    const shapes: Record<string, [from: number[], to: number[]]> = {
      'blocks.0.attn.rpe_p': [
        [2, 3, 5, 7],
        [2, 3, 7, 3],
      ],
      'blocks.1.attn.rpe_r': [
        [2, 5, 7],
        [2, 7, 3],
      ],
      'blocks.2.attn.rpe_c': [
        [2, 4, 5, 7],
        [2, 4, 7, 3],
      ],
    };
    const state = new Map(
      Object.entries(shapes).map(([name, [shape]], i) => [
        name,
        { dtype: 'float32', shape, data: normal(new Rng(i), product(shape)) },
      ]),
    );
    const proj = { dtype: 'float32', shape: [1], data: Float32Array.of(3) };
    const target = new Map(Object.entries(shapes).map(([name, [, shape]]) => [name, { shape }]));
    const resized = resizeLisaTables(new Map([...state, ['blocks.0.attn.proj.bias', proj]]), target);
    expect([...resized.keys()]).toEqual([...Object.keys(shapes), 'blocks.0.attn.proj.bias']);
    expect(resized.get('blocks.0.attn.proj.bias')).toBe(proj);
    for (const [name, [shape, wanted]] of Object.entries(shapes)) {
      expect(resized.get(name)?.shape).toEqual(wanted);
      const options = { from: [3, 4], to: [4, 2], area: !name.endsWith('rpe_r') };
      const expected = tf.tidy(() => resizeTables(tf.tensor(state.get(name)?.data as Float32Array, shape), options));
      await expectClose(resized.get(name)?.data as Float32Array, expected);
    }
  });
});

describe('resizing refuses', () => {
  beforeAll(async () => {
    await setupBackend('cpu');
  });

  const of = (name: string, shape: number[], values = product(shape)) =>
    new Map([[name, { dtype: 'float32', shape, data: new Float32Array(values) }]]);

  it.each<[string, typeof ConfigError | typeof ShapeError, RegExp, () => unknown]>([
    [
      'a table of another grid',
      ShapeError,
      /table: expected shape \[\.\.\.,3,5\]/,
      () => resizeTables(tf.ones([2, 3, 3]), { from: [2, 3], to: [2, 2] }),
    ],
    [
      'grids of different axes',
      ConfigError,
      /to: expected a grid of 2 axes/,
      () => resizeTables(tf.ones([3, 5]), { from: [2, 3], to: [2] }),
    ],
    ['no grid', ConfigError, /from: expected \[S\]/, () => resizeTables(tf.ones([3, 5]), { from: [], to: [] })],
    [
      'no padding',
      ConfigError,
      /padding/,
      () => resizeTables(tf.ones([3]), { from: [2], to: [2], padding: 'x' as never }),
    ],
    [
      'states of an even length',
      ShapeError,
      /rpe_p: .*2S-1.*option `padding`/,
      () => resizeLisaTables(of('a.rpe_p', [1, 1, 4]), of('a.rpe_p', [1, 1, 3])),
    ],
    [
      'states of other axes',
      ShapeError,
      /a\.rpe_r: expected a table for a grid of 2 axes/,
      () => resizeLisaTables(of('a.rpe_r', [1, 3]), of('a.rpe_r', [1, 3, 3])),
    ],
    [
      'states with too few values',
      ShapeError,
      /2 values/,
      () => resizeLisaTables(of('rpe_r', [1, 3], 2), of('rpe_r', [1, 5])),
    ],
    [
      'states without offsets',
      ShapeError,
      /leading axes/,
      () => resizeLisaTables(of('rpe_r', [1]), of('rpe_r', [1, 5])),
    ],
  ])('%s', (_, error, message, attempt) => {
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(message);
  });
});
