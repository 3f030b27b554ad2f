import { describe, expect, it } from 'vitest';
import type { SlopeLine } from '../core/run.ts';
import { runSummary } from './summary.ts';
import { baselineRow, row, runOf, untimed } from './testing/runs.ts';

/** The line of a summary that begins so, with single spaces. */
function lineOf(summary: string, start: string): string | undefined {
  return summary
    .split('\n')
    .map((line) => line.trim().replace(/\s+/g, ' '))
    .find((line) => line.startsWith(start));
}

describe('runSummary', () => {
  it('prints ratios with their intervals, and no times', () => {
    const summary = runSummary(runOf(row(), baselineRow()));
    expect(lineOf(summary, 'attention')).toBe(
      'attention fused 0.5 (0.49 to 0.51) 0.5 (0.49 to 0.51) 0.25 10 % measured',
    );
    expect(lineOf(summary, 'composed')).toBe('composed 1 1 1 10 % measured; the others refer to it');
    // The median of both is 2 ms, the first quartile 1.9 ms.
    expect(summary).not.toContain('1.9');
  });

  it('names those that are not there last, and says why others have no times', () => {
    const absent = untimed({ status: 'absent', contender: 'onnxruntime', reason: 'not installed' });
    const wrong = untimed({ status: 'wrong', contender: 'windowed', reason: `off\n${'x'.repeat(300)}` });
    const summary = runSummary(runOf(absent, wrong, row()));
    const order = ['attention fused', 'windowed', 'onnxruntime'].map((start) => lineOf(summary, start));
    expect(order).toEqual([
      expect.stringMatching(/measured$/),
      `windowed wrong: off · ${'x'.repeat(154)}…`,
      'onnxruntime absent: not installed',
    ]);
    const at = order.map((line) => summary.replace(/ +/g, ' ').indexOf(line as string));
    expect(at).toEqual([...at].sort((a, b) => a - b));
    expect(summary.split('\n').at(-1)).toBe('1 absent, 1 wrong, 1 measured');
  });

  it('keeps GPUs in software in tables of their own', () => {
    const summary = runSummary(runOf(row({ backend: 'webgpu' }), row({ backend: 'webgpu', softwareGpu: true })));
    const [gpu = '', software = ''] = summary.split('\n\n');
    expect(gpu.split('\n')[0]).toBe('operators on webgpu');
    expect(gpu).not.toContain('software');
    expect(software.split('\n').slice(0, 2)).toEqual([
      'operators on webgpu in software',
      'This "GPU" is the processor: these ratios say nothing about a GPU.',
    ]);
  });

  it('prints quantities where there are no times, and slopes', () => {
    const size = { ...untimed({ contender: 'bundle' }), status: 'measured', quantities: { gzip: 12_345 } } as const;
    const { reason: _, ...measured } = size;
    const slope: SlopeLine = {
      kind: 'slope',
      suite: 'operators',
      backend: 'wasm',
      softwareGpu: false,
      contender: 'fused',
      parameters: { headDim: 64 },
      quantity: 'peakTensorBytes',
      slope: 1.004,
      tokens: [784, 1568, 3136],
    };
    const summary = runSummary(runOf(measured, slope));
    expect(lineOf(summary, 'attention')).toBe('attention bundle gzip 12.3 k');
    expect(lineOf(summary, 'fused headDim')).toBe('fused headDim 64 tensors N^1.00 784 to 3136');
  });
});
