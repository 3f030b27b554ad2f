import { Interrupted } from '@saccade/command-kit';
import type { Suite } from '../core/comparison.ts';
import type { RunLine } from '../core/run.ts';
import { runBench } from '../worker/driver.ts';
import type { RunPlan } from '../worker/plan.ts';
import { describeHome } from './machine.ts';
import { runProgress } from './progress.ts';
import { RunFile, type RunFiles } from './RunFile.ts';
import { startWorkerProcess } from './workerProcess.ts';

/** Where and with what is measured. */
export interface MeasureToFilesOptions {
  readonly suites: readonly Suite[];
  /** module of the processes that measure */
  readonly worker: URL;
  readonly folder: string;
  /** aborted with `Interrupted` by whoever stops the run */
  readonly signal: AbortSignal;
}

/** A run that came to its end, or was stopped. */
export type MeasuredFiles =
  | { readonly lines: readonly RunLine[]; readonly files: RunFiles; readonly unfinished?: undefined }
  /** `unfinished`: the lines that were known by then; nothing where there were none */
  | { readonly files?: undefined; readonly lines?: undefined; readonly unfinished: string | undefined };

/** Runs a plan with a bar in the terminal, and every line in a file as soon as it is known. */
export async function measureToFiles(
  plan: RunPlan,
  { suites, worker, folder, signal }: MeasureToFilesOptions,
): Promise<MeasuredFiles> {
  const [file, progress] = [new RunFile(folder), runProgress()];
  try {
    const lines = await runBench(
      plan,
      {
        header: await describeHome(),
        startWorker: () => startWorkerProcess(worker),
        signal,
        onLine: (line) => file.add(line),
        onProgress: (state) => progress.update(state),
      },
      suites,
    );
    return { lines, files: file.finish(lines) };
  } catch (error) {
    if (error instanceof Interrupted) return { unfinished: file.unfinished };
    throw error;
  } finally {
    progress.stop();
  }
}
