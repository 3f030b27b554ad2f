import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { softwareVulkan } from '@saccade/software-vulkan';
import { type KernelMode, setKernelMode } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { peakMemory } from '@saccade/tensor-ops/profile';
import type * as tf from '@tensorflow/tfjs-core';
import { GRIDS, type Workload, workload } from './workload.ts';

// Fused kernels against the explicit path, on one adapter in one run: `pnpm --filter @saccade/structsa run measure`.
// Each is run in turn, so that what else the machine does meets both; medians; with --save they go to results/kernels.csv.

const { values: options } = parseArgs({
  options: { runs: { type: 'string', default: '3' }, save: { type: 'boolean', default: false } },
});

/** What WebGPU promises of every device: a binding that is larger would not run everywhere. */
const PROMISED_BINDING = 128 * 2 ** 20;
const MODES = ['fused', 'explicit'] as const satisfies readonly KernelMode[];

const backend = await setupBackend('webgpu', { softwareDriver: softwareVulkan });

/** One path of one computation. */
interface Measured {
  readonly medianMs: number;
  readonly runsMs: readonly number[];
  readonly peakBytes: number;
  readonly largestBinding: number;
}

/** Runs once, waits for the GPU, and fails on its errors: a wrong binding would be fast, and garbage. */
async function timed(compute: () => tf.Tensor): Promise<number> {
  const start = performance.now();
  const result = compute();
  const errors = await backend.takeErrors();
  const elapsed = performance.now() - start;
  result.dispose();
  if (errors.length > 0) throw new Error(`the GPU reports ${errors.length} errors, the first: ${errors[0]}`);
  return elapsed;
}

async function measure(compute: () => tf.Tensor, runs: number): Promise<Record<(typeof MODES)[number], Measured>> {
  const times: Record<string, number[]> = {};
  const uses: Record<string, { peakBytes: number; largestBinding: number }> = {};
  // The first round compiles the programs and moves the inputs; then it is seen what is needed beside those.
  for (let round = 0; round <= runs; round++) {
    for (const mode of MODES) {
      setKernelMode(mode);
      if (round === 0) {
        await timed(compute);
        const { deviceBytes = 0, largestBinding = 0 } = await peakMemory(async () => {
          await timed(compute);
        });
        uses[mode] = { peakBytes: deviceBytes, largestBinding };
      } else {
        times[mode] = [...(times[mode] ?? []), await timed(compute)];
      }
    }
  }
  const of = (mode: (typeof MODES)[number]): Measured => {
    const all = times[mode] as number[];
    const median = [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)] as number;
    return { ...(uses[mode] as Measured), medianMs: rounded(median), runsMs: all.map(rounded) };
  };
  return { fused: of('fused'), explicit: of('explicit') };
}

const rounded = (milliseconds: number) => Number(milliseconds.toFixed(1));
const ratio = (explicit: number, fused: number) => Number((explicit / fused).toFixed(2));

const results = [];
for (const grid of GRIDS) {
  const work: Workload = workload(grid);
  for (const what of ['forward', 'trainingStep'] as const) {
    const { fused, explicit } = await measure(() => work[what](), Number(options.runs));
    const compared = {
      grid: work.name,
      what,
      speedUp: ratio(explicit.medianMs, fused.medianMs),
      timesLessMemory: ratio(explicit.peakBytes, fused.peakBytes),
    };
    results.push({ ...compared, fused, explicit });
    console.log(
      [
        `${work.name} ${what}`.padEnd(22),
        `fused ${fused.medianMs} ms, explicit ${explicit.medianMs} ms: ${compared.speedUp} times as fast;`,
        `peak ${mebibytes(fused.peakBytes)} against ${mebibytes(explicit.peakBytes)} MiB: ${compared.timesLessMemory} times less;`,
        `largest binding ${mebibytes(fused.largestBinding)} against ${mebibytes(explicit.largestBinding)} MiB`,
      ].join(' '),
    );
    if (fused.largestBinding > PROMISED_BINDING) {
      throw new Error(
        `the fused path binds ${fused.largestBinding} bytes, more than the ${PROMISED_BINDING} of every device`,
      );
    }
  }
  work.dispose();
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

if (options.save) {
  const folder = fileURLToPath(new URL('../../results/', import.meta.url));
  await mkdir(folder, { recursive: true });
  const { description, vendor, software } = backend.adapter ?? {};
  const head = 'adapter,software_adapter,grid,what,kernels,median_ms,runs_ms,peak_bytes,largest_binding_bytes';
  const rows = results.flatMap(({ grid, what, ...measured }) =>
    MODES.map((mode) => {
      const { medianMs, runsMs, peakBytes, largestBinding } = measured[mode];
      const adapter = `"${(description || vendor || '').replaceAll('"', '""')}"`;
      return [adapter, software, grid, what, mode, medianMs, runsMs.join(' '), peakBytes, largestBinding].join(',');
    }),
  );
  await writeFile(`${folder}kernels.csv`, `${[head, ...rows].join('\n')}\n`);
}
backend.dispose();
