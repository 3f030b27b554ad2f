import type { Grid } from '@saccade/nn';
import { ConfigError, SaccadeError, ShapeError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { structureMaps } from './maps.ts';
import { type StructAttentionOptions, type StructFilter, structAttention } from './structAttention.ts';

interface Call {
  readonly q: readonly number[];
  readonly k: readonly number[];
  readonly v: readonly number[];
  readonly convK: readonly number[];
  readonly convV: readonly number[];
  readonly options: StructAttentionOptions;
}

const RIGHT: Call = {
  q: [2, 6, 4],
  k: [2, 6, 4],
  v: [2, 6, 4],
  convK: [3, 3, 4, 2],
  convV: [3, 3, 4, 2],
  options: { grid: [2, 3], heads: 2 },
};

type ErrorClass = typeof ShapeError | typeof ConfigError;

/** What is wrong, in which call, the class of the error, and what its message must say. */
const WRONG: [what: string, wrong: Partial<Call>, type: ErrorClass, message: RegExp][] = [
  ['q without batch', { q: [6, 4] }, ShapeError, /^q: expected shape \[B,N,C\], got \[6,4\]/],
  ['k of another shape', { k: [2, 5, 4] }, ShapeError, /^k: expected the shape of q, \[2,6,4\], got \[2,5,4\]/],
  ['v of another shape', { v: [2, 6, 8] }, ShapeError, /^v: expected the shape of q, \[2,6,4\], got \[2,6,8\]/],
  [
    'heads that do not divide',
    { options: { grid: [2, 3], heads: 3 } },
    ConfigError,
    /^heads: .*divides dim = 4, got 3/,
  ],
  ['no heads', { options: { grid: [2, 3], heads: 0 } }, ConfigError, /^heads: .*, got 0/],
  ['another grid', { options: { grid: [2, 4], heads: 2 } }, ShapeError, /^grid: .*N = 6, got \[2,4\] = 8 positions/],
  [
    'no grid',
    { options: { grid: [] as unknown as Grid, heads: 2 } },
    ConfigError,
    /^grid: expected \[H,W\] or \[T,H,W\]/,
  ],
  ['a broken grid', { options: { grid: [1.5, 4], heads: 2 } }, ConfigError, /^grid: .*, got \[1.5,4\]/],
  [
    'an image filter on a clip',
    { options: { grid: [1, 2, 3], heads: 2 } },
    ShapeError,
    /^convK: .*kt,kh,kw.*got \[3,3,4,2\]/,
  ],
  [
    'a clip filter on an image',
    { convV: [3, 3, 3, 4, 2] },
    ShapeError,
    /^convV: .*\[kh,kw,4 or 1,D >= 1\].*got \[3,3,3,4,2\]/,
  ],
  ['a filter of other channels', { convK: [3, 3, 3, 2] }, ShapeError, /^convK: .*4 or 1.*got \[3,3,3,2\]/],
  ['different D', { convV: [3, 3, 4, 3] }, ConfigError, /^convV: .*D = 2, got 3/],
  ['no detectors', { convK: [3, 3, 4, 0], convV: [3, 3, 4, 0] }, ShapeError, /^convK: .*D >= 1.*got \[3,3,4,0\]/],
  ['an even kernel', { convK: [2, 2, 4, 2] }, ConfigError, /^kernel: expected odd sizes, got "\[2,2\]"/],
  ['stride 0', { options: { grid: [2, 3], heads: 2, stride: 0 } }, ConfigError, /^stride: .*>= 1, got 0/],
  ['a fractional stride', { options: { grid: [2, 3], heads: 2, stride: 1.5 } }, ConfigError, /^stride: .*got 1.5/],
  [
    'a scale of NaN',
    { options: { grid: [2, 3], heads: 2, scale: Number.NaN } },
    ConfigError,
    /^scale: .*finite.*got NaN/,
  ],
];

function thrownBy(action: () => unknown): unknown {
  try {
    tf.tidy(() => void action());
  } catch (error) {
    return error;
  }
  return undefined;
}

const call = ({ q, k, v, convK, convV, options }: Call) => {
  const zeros = (shape: readonly number[]) => tf.zeros([...shape]);
  const [x, y, z] = [q, k, v].map(zeros) as [tf.Tensor3D, tf.Tensor3D, tf.Tensor3D];
  return structAttention(x, y, z, zeros(convK) as StructFilter, zeros(convV) as StructFilter, options);
};

describe('structAttention refuses', () => {
  beforeAll(async () => {
    await setupBackend('wasm');
  });

  it('nothing that is right', () => {
    expect(thrownBy(() => call(RIGHT))).toBeUndefined();
  });

  it.each(WRONG)('%s', (_, wrong, type, message) => {
    const before = tf.memory().numTensors;
    const error = thrownBy(() => call({ ...RIGHT, ...wrong }));
    expect(error).toBeInstanceOf(SaccadeError);
    expect(error).toBeInstanceOf(type);
    expect((error as Error).message).toMatch(message);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('structureMaps refuses', () => {
  const maps = (queries: readonly number[], wrong: Partial<Call> = {}) => {
    const { q, k, convK, convV, options } = { ...RIGHT, ...wrong };
    const zeros = (shape: readonly number[]) => tf.zeros([...shape]);
    const [x, y] = [q, k].map(zeros) as [tf.Tensor3D, tf.Tensor3D];
    structureMaps(x, y, zeros(convK) as StructFilter, zeros(convV) as StructFilter, { ...options, queries });
  };

  it.each([[[6]], [[0, -1]], [[0.5]], [[Number.NaN]]])('the queries %j', (queries) => {
    const error = thrownBy(() => maps(queries));
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toMatch(/^queries: expected positions of the grid, 0 to 5, got /);
  });

  it('no queries at all', () => {
    expect(thrownBy(() => maps([]))).toBeInstanceOf(ConfigError);
  });

  it.each(WRONG.filter(([, wrong]) => wrong.v === undefined))('%s', (_, wrong, type, message) => {
    const error = thrownBy(() => maps([0], wrong));
    expect(error).toBeInstanceOf(type);
    expect((error as Error).message).toMatch(message);
  });
});
