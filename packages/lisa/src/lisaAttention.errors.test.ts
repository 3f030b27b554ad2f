import { ConfigError, ShapeError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { kernelizedSums, type LisaAttentionOptions, type LisaTables, lisaAttention } from './lisaAttention.ts';

beforeAll(async () => {
  await setupBackend('cpu');
});

const x = () => tf.ones<tf.Rank.R3>([1, 6, 4]);
const OPTIONS: LisaAttentionOptions = { grid: [2, 3], heads: 2 };
/** P, U for two heads of two channels, D = 3, on 2x3 tokens with zero padding. */
const TABLES = (): LisaTables => ({ mode: 'structure', p: tf.ones([2, 3, 3, 5]), u: tf.ones([2, 3, 3, 5]) });
const R = (shape: number[]): LisaTables => ({ mode: 'kernelized', r: tf.ones(shape) });

describe('lisaAttention refuses', () => {
  it.each<[what: string, error: typeof ConfigError | typeof ShapeError, message: RegExp, attempt: () => unknown]>([
    [
      'tables of another grid',
      ShapeError,
      /p: expected shape \[2,D,3,5\], a table for the grid \[2,3\] with zero padding, got \[2,3,5,5\].*resizeTables/,
      () => lisaAttention(x(), x(), x(), { ...TABLES(), p: tf.ones([2, 3, 5, 5]) } as LisaTables, OPTIONS),
    ],
    [
      'tables of even length where nothing lies beyond the borders',
      ShapeError,
      /u: .* an odd number; S entries are for \{padding: "circular"\}/,
      () => lisaAttention(x(), x(), x(), { ...TABLES(), u: tf.ones([2, 3, 2, 3]) } as LisaTables, OPTIONS),
    ],
    [
      'tables with zero padding in circular mode',
      ShapeError,
      /p: expected shape \[2,D,2,3\], .* circular padding, got \[2,3,3,5\]/,
      () => lisaAttention(x(), x(), x(), TABLES(), { ...OPTIONS, padding: 'circular' }),
    ],
    [
      'two tables of different D',
      ShapeError,
      /u: expected shape \[2,3,3,5\]/,
      () => lisaAttention(x(), x(), x(), { ...TABLES(), u: tf.ones([2, 4, 3, 5]) } as LisaTables, OPTIONS),
    ],
    [
      'tables of other heads',
      ShapeError,
      /r: expected shape \[2,3,5\]/,
      () => lisaAttention(x(), x(), x(), R([1, 3, 5]), OPTIONS),
    ],
    [
      'tables of other channels',
      ShapeError,
      /r: expected shape \[2,2,3,5\]/,
      () => lisaAttention(x(), x(), x(), { mode: 'hadamard', r: tf.ones([2, 3, 3, 5]) }, OPTIONS),
    ],
    [
      'tables without offsets',
      ShapeError,
      /r: expected shape \[2,3,5\].*got \[2\]/,
      () => lisaAttention(x(), x(), x(), R([2]), OPTIONS),
    ],
    [
      'a mode that does not exist',
      ConfigError,
      /mode: expected "structure", "kernelized" or "hadamard", got "softmax"/,
      () => lisaAttention(x(), x(), x(), { ...TABLES(), mode: 'softmax' } as unknown as LisaTables, OPTIONS),
    ],
    [
      'a padding that does not exist',
      ConfigError,
      /padding: expected "zero" or "circular", got "same"/,
      () => lisaAttention(x(), x(), x(), TABLES(), { ...OPTIONS, padding: 'same' as never }),
    ],
    [
      'a norm that does not exist',
      ConfigError,
      /qkNorm: expected "l2", "scale" or "none", got "l1"/,
      () => lisaAttention(x(), x(), x(), TABLES(), { ...OPTIONS, qkNorm: 'l1' as never }),
    ],
    [
      'a way to compute that does not exist',
      ConfigError,
      /compute: expected "auto", "dense", "dft" or "fft", got "gpu"/,
      () => lisaAttention(x(), x(), x(), TABLES(), { ...OPTIONS, compute: 'gpu' as never }),
    ],
    [
      'a grid of other positions',
      ShapeError,
      /grid: expected as many positions as there are tokens, N = 6, got \[2,2\] = 4 positions.*no class token/,
      () => lisaAttention(x(), x(), x(), TABLES(), { ...OPTIONS, grid: [2, 2] }),
    ],
    [
      'a grid that is none',
      ConfigError,
      /grid: expected \[S\], \[H,W\] or \[T,H,W\]/,
      () => lisaAttention(x(), x(), x(), TABLES(), { ...OPTIONS, grid: [1, 1, 2, 3] }),
    ],
    [
      'heads that do not divide the channels',
      ConfigError,
      /heads: expected a positive integer that divides dim = 4, got 3/,
      () => lisaAttention(x(), x(), x(), TABLES(), { ...OPTIONS, heads: 3 }),
    ],
    [
      'keys of another shape',
      ShapeError,
      /k: expected shape \[1,6,4\], got \[1,5,4\]/,
      () => lisaAttention(x(), tf.ones([1, 5, 4]), x(), TABLES(), OPTIONS),
    ],
    [
      'tables of another grid for sums',
      ShapeError,
      /r: expected shape \[2,3,5\]/,
      () => kernelizedSums(x(), x(), x(), tf.ones([2, 3, 3]), OPTIONS),
    ],
  ])('%s', (_, error, message, attempt) => {
    expect(attempt).toThrow(error);
    expect(attempt).toThrow(message);
  });
});
