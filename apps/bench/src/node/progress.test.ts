import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { runProgress } from './progress.ts';

describe('runProgress', () => {
  it('says which comparison is being measured and how far it is, also when there turns out to be less to do', () => {
    const stream = new PassThrough();
    const progress = runProgress({ stream });
    progress.update({ done: 0, total: 9, backend: 'webgpu' });
    progress.update({ done: 0, total: 2, backend: 'webgpu', comparison: 'one/a' });
    const detail = { phase: 'measure', round: 3, rounds: 20 } as const;
    progress.update({ done: 1, total: 2, backend: 'webgpu', comparison: 'one/b', detail });
    progress.update({ done: 2, total: 2, backend: 'webgpu' });
    progress.stop();
    const printed = String(stream.read());
    expect(printed).toContain('bench 50% · 1/2 · one/b on webgpu · measure 3 of 20');
    expect(printed).toContain('bench 100% · 2/2 · on webgpu');
  });
});
