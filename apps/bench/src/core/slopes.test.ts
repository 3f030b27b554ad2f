import { describe, expect, it } from 'vitest';
import type { Row } from './row.ts';
import { LEAST_TOKENS, slopeLines } from './slopes.ts';
import { spread } from './statistics.ts';

interface Given extends Partial<Row> {
  readonly tokens: number;
  readonly ms: number;
}

function row({ tokens, ms, parameters, ...more }: Given): Row {
  return {
    kind: 'row',
    suite: 'operators',
    comparison: `attention/n${tokens}`,
    parameters: { ...parameters, tokens },
    contender: 'fused',
    role: 'saccade',
    backend: 'wasm',
    softwareGpu: false,
    status: 'measured',
    wallMs: spread([ms]),
    ...more,
  };
}

describe('slopeLines', () => {
  it('finds the power by which each quantity grows', () => {
    const rows = [784, 1568, 3136].map((tokens) =>
      row({ tokens, ms: 3 * tokens ** 2, peakTensorBytes: 64 * tokens, parameters: { headDim: 32 } }),
    );
    const lines = slopeLines(rows);
    expect(lines.map(({ quantity }) => quantity)).toEqual(['wallMs', 'peakTensorBytes']);
    expect(lines[0]).toMatchObject({
      kind: 'slope',
      suite: 'operators',
      backend: 'wasm',
      softwareGpu: false,
      contender: 'fused',
      parameters: { headDim: 32 },
      tokens: [784, 1568, 3136],
    });
    expect(lines[0]?.slope).toBeCloseTo(2, 10);
    expect(lines[1]?.slope).toBeCloseTo(1, 10);
  });

  it('leaves out small N, whose times are those of dispatching', () => {
    const flat = [49, 196].map((tokens) => row({ tokens, ms: 1 }));
    const steep = [LEAST_TOKENS, 1568, 3136].map((tokens) => row({ tokens, ms: tokens }));
    expect(slopeLines([...flat, ...steep])).toMatchObject([
      { tokens: [784, 1568, 3136], slope: expect.closeTo(1, 10) },
    ]);
  });

  it('draws no line through two points, nor through one N measured thrice', () => {
    expect(slopeLines([784, 1568].map((tokens) => row({ tokens, ms: tokens })))).toEqual([]);
    expect(slopeLines([784, 784, 784].map((tokens) => row({ tokens, ms: tokens })))).toEqual([]);
  });

  it('separates contenders, backends and every parameter but tokens, in whatever order they stand', () => {
    const tokens = [784, 1568, 3136];
    const series = (power: number, more: Partial<Row>) =>
      tokens.map((n) => row({ tokens: n, ms: n ** power, ...more }));
    const rows = [
      ...series(1, { parameters: { headDim: 32, batch: 1 } }),
      ...series(2, { parameters: { headDim: 64, batch: 1 } }),
      ...series(3, { contender: 'explicit', parameters: { headDim: 32, batch: 1 } }),
      ...series(4, { backend: 'webgpu', parameters: { headDim: 32, batch: 1 } }),
    ];
    rows[1] = { ...rows[1], parameters: { tokens: 1568, batch: 1, headDim: 32 } } as Row;
    const slopes = slopeLines(rows).map(({ slope }) => Math.round(slope * 1000) / 1000);
    expect(slopes).toEqual([1, 2, 3, 4]);
  });

  it('takes measured rows alone, and no quantity that is zero', () => {
    const rows = [784, 1568, 3136].map((tokens) => row({ tokens, ms: tokens, peakTensorBytes: 0 }));
    expect(slopeLines(rows).map(({ quantity }) => quantity)).toEqual(['wallMs']);
    rows[2] = { ...(rows[2] as Row), status: 'wrong' };
    expect(slopeLines(rows)).toEqual([]);
  });
});
