import { describeOnBackends } from '@saccade/vitest-preset';
import { afterEach, expect, it } from 'vitest';
import { hasFftCorrelation } from './correlationKernel.ts';
import { setKernelMode } from './kernelMode.ts';

describeOnBackends(
  'hasFftCorrelation',
  () => {
    afterEach(() => setKernelMode('auto'));

    it('follows the backend and the kernel mode', () => {
      expect(hasFftCorrelation()).toBe(true);
      setKernelMode('fused');
      expect(hasFftCorrelation()).toBe(true);
      setKernelMode('explicit');
      expect(hasFftCorrelation()).toBe(false);
    });
  },
  { backends: ['wasm'] },
);
