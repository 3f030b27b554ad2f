import type { TestBackend } from '@saccade/vitest-preset';
import type { Bench } from '../../core/comparison.ts';

/** A bench over the backend of a test, without peers. */
export function testBench(backend: TestBackend, parts: Partial<Bench> = {}): Bench {
  return {
    home: 'node',
    backend: backend.name,
    softwareGpu: backend.name === 'webgpu',
    scale: 'full',
    peers: [],
    absentPeers: [],
    now: () => performance.now(),
    async settle() {
      const errors = await backend.info.takeErrors();
      if (errors.length > 0) throw new Error(errors.join('\n'));
    },
    async peakOf(action) {
      await action();
      return { tensorBytes: 0 };
    },
    ...parts,
  };
}
