import { describeOnBackends } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { assemble } from '../../../scripts/assemble.ts';
import type { WasmBackend } from './backend.ts';
import { SIMD_MODULE_BASE64 } from './simd.generated.ts';
import { simdKernels } from './simd.ts';

it('the embedded module is what assembly/*.ts compile to', async () => {
  const lines = [...(await assemble()).matchAll(/^ {2}'(.*)',$/gm)].map((match) => match[1]);
  expect(lines.join('')).toBe(SIMD_MODULE_BASE64);
});

describeOnBackends(
  'SIMD kernels',
  () => {
    it('run on the memory of the backend that Node sets up', () => {
      expect(simdKernels(tf.backend() as unknown as WasmBackend)).toBeDefined();
    });

    it('are left out where the memory is not to be had', () => {
      expect(simdKernels({ wasm: {} } as unknown as WasmBackend)).toBeUndefined();
      const shared = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
      expect(simdKernels({ wasm: { asm: { memory: shared } } } as unknown as WasmBackend)).toBeUndefined();
    });
  },
  { backends: ['wasm'] },
);
