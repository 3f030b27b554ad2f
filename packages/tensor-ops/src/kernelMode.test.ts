import { describeOnBackends } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { BackendError } from './backendError.ts';
import { ConfigError } from './errors.ts';
import { type KernelMode, kernelMode, setKernelMode, usesKernel } from './kernelMode.ts';

const name = 'SaccadeTestKernel';

afterEach(() => setKernelMode('auto'));

describe('setKernelMode', () => {
  it('begins with auto, and is what was set', () => {
    expect(kernelMode()).toBe('auto');
    setKernelMode('explicit');
    expect(kernelMode()).toBe('explicit');
  });

  it('refuses other modes, and keeps the one in force', () => {
    setKernelMode('explicit');
    expect(() => setKernelMode('fast' as KernelMode)).toThrow(ConfigError);
    expect(() => setKernelMode('fast' as KernelMode)).toThrow(
      'mode: expected one of auto, explicit, fused, got "fast".',
    );
    expect(kernelMode()).toBe('explicit');
  });
});

describeOnBackends(
  'usesKernel',
  () => {
    const answers = (refusal?: string) =>
      (['auto', 'explicit', 'fused'] as const).map((mode) => {
        setKernelMode(mode);
        try {
          return usesKernel(name, refusal);
        } catch (error) {
          return error;
        }
      });

    it('without the kernel: no, or an error in mode fused', () => {
      const [auto, explicit, fused] = answers();
      expect([auto, explicit]).toEqual([false, false]);
      expect(fused).toBeInstanceOf(BackendError);
      expect((fused as Error).message).toMatch(/^backend cpu: no kernel SaccadeTestKernel: import .*setKernelMode/);
    });

    it('with the kernel: yes, unless the mode or the kernel says no', () => {
      tf.registerKernel({ kernelName: name, backendName: 'cpu', kernelFunc: () => [] });
      try {
        expect(answers()).toEqual([true, false, true]);
        const [auto, explicit, fused] = answers('sizes up to 4, not 5');
        expect([auto, explicit]).toEqual([false, false]);
        expect(fused).toBeInstanceOf(ConfigError);
        expect((fused as Error).message).toContain(`(${name} takes sizes up to 4, not 5)`);
      } finally {
        tf.unregisterKernel(name, 'cpu');
      }
    });
  },
  { backends: ['cpu'] },
);
