import { setKernelMode } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { softwareVulkan } from '@saccade/vitest-preset';
import { bench, describe } from 'vitest';
import { GRIDS, STAGE, workload } from './testing/workload.ts';

// Fused kernels against the explicit path on one adapter; some minutes on a software driver:
// `pnpm vitest bench packages/structsa/src/structAttention`. With peaks of memory: `pnpm --filter @saccade/structsa run measure`.
const backend = await setupBackend('webgpu', { softwareDriver: softwareVulkan });
const { channels, heads, detectors } = STAGE;
/** A few runs: on a software driver the explicit path takes up to a minute for one. */
const FEW = { time: 0, iterations: 3, warmupTime: 0, warmupIterations: 1 };

for (const grid of GRIDS) {
  const work = workload(grid);
  for (const what of ['forward', 'trainingStep'] as const) {
    describe(`${what} on ${backend.adapter?.description}, ${work.name} tokens, C = ${channels}, h = ${heads}, D = ${detectors}`, () => {
      for (const mode of ['fused', 'explicit'] as const) {
        bench(
          mode,
          async () => {
            setKernelMode(mode);
            const result = work[what]();
            await backend.takeErrors();
            result.dispose();
          },
          FEW,
        );
      }
    });
  }
}
