import { type KernelMode, setKernelMode } from '@saccade/tensor-ops';
import { describeOnBackends, type TestBackend } from '@saccade/vitest-preset';
import { afterEach, beforeEach } from 'vitest';

/** A backend, and which of the two paths is taken on it. */
export interface TestPath extends TestBackend {
  readonly kernels: KernelMode;
  /** How often a property is tried: every new size costs webgpu its shaders, so it sees fewer. */
  readonly runs: { readonly numRuns: number; readonly seed: number };
}

/** `describeOnBackends` for what exists twice: on webgpu the block runs with the fused kernels, and without them. */
export function describeOnPaths(title: string, tests: (path: TestPath) => void): void {
  const paths = [
    { kernels: 'auto', backends: ['cpu', 'wasm'], numRuns: 25 },
    { kernels: 'explicit', backends: ['webgpu'], numRuns: 3 },
    { kernels: 'fused', backends: ['webgpu'], numRuns: 6 },
  ] as const;
  for (const { kernels, backends, numRuns } of paths) {
    describeOnBackends(
      kernels === 'auto' ? title : `${title}, ${kernels} kernels`,
      (backend) => {
        beforeEach(() => setKernelMode(kernels));
        afterEach(() => setKernelMode('auto'));
        const path = { name: backend.name, kernels, runs: { numRuns, seed: 1 } };
        tests(Object.defineProperty(path, 'info', { get: () => backend.info }) as TestPath);
      },
      { backends },
    );
  }
}
