import { ConfigError, ShapeError } from '@saccade/tensor-ops';
import { describe, expect, it } from 'vitest';
import { accuracy, ConfusionMatrix, predictions } from './metrics.ts';

describe('predictions and accuracy', () => {
  it('takes the largest logit of each row', () => {
    expect([...predictions([0, 3, 1, -5, -9, -2], 3)]).toEqual([1, 2]);
    expect(accuracy([1, 2, 0, 0], [1, 2, 2, 0])).toBe(0.75);
    expect(accuracy([], [])).toBe(0);
    expect(() => accuracy([1], [1, 2])).toThrow(ShapeError);
  });
});

describe('ConfusionMatrix', () => {
  it('counts by label and prediction', () => {
    const confusion = new ConfusionMatrix(3);
    for (const [label, predicted] of [
      [0, 0],
      [0, 0],
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ] as const) {
      confusion.add(label, predicted);
    }
    expect(confusion.rows()).toEqual([
      [3, 1, 0],
      [1, 1, 0],
      [0, 0, 0],
    ]);
    expect(confusion.count(0, 1)).toBe(1);
    expect(confusion.total).toBe(6);
    expect(confusion.accuracy).toBeCloseTo(4 / 6, 12);
    expect(confusion.perClass()).toEqual([0.75, 0.5, Number.NaN]);
    // Class 2 has no samples: it says nothing about the classifier.
    expect(confusion.meanPerClass).toBe(0.625);
  });

  it('refuses classes it does not have', () => {
    expect(() => new ConfusionMatrix(2).add(0, 2)).toThrow(ConfigError);
    expect(() => new ConfusionMatrix(2).add(-1, 0)).toThrow(/label/);
  });
});
