import { softwareVulkan } from '@saccade/software-vulkan';
import { type KernelMode, SaccadeError, setKernelMode } from '@saccade/tensor-ops';
import { type BackendName, setupBackend } from '@saccade/tensor-ops/node';
import { Command, Option } from 'commander';
import { type FileResult, goldenFiles, replayFile } from './replay.ts';
import { fileLine, headLine, totalsLine } from './report.ts';

interface CliOptions {
  readonly backend: BackendName;
  readonly kernels: KernelMode;
}

await new Command('conformance')
  .description('Replays a folder of golden files and compares. Exits 1 if any fails or is of an unknown kind.')
  .argument('<directory>', 'folder with *.safetensors, and a manifest.json if it recommends tolerances')
  .addOption(new Option('--backend <name>', 'where to compute').choices(['cpu', 'wasm', 'webgpu']).default('wasm'))
  .addOption(
    new Option(
      '--kernels <mode>',
      'who computes what exists twice: our fused kernels, or compositions of tfjs operations',
    )
      .choices(['auto', 'explicit', 'fused'])
      .default('auto'),
  )
  .action(run)
  .parseAsync()
  .catch((error: unknown) => {
    // What is meant for the person at the terminal comes without a stack.
    console.error(error instanceof SaccadeError ? error.message : error);
    process.exitCode = 1;
  });

async function run(directory: string, { backend: name, kernels }: CliOptions): Promise<void> {
  const files = await goldenFiles(directory);
  const backend = await setupBackend(name, { softwareDriver: softwareVulkan });
  setKernelMode(kernels);
  console.log(headLine(backend, kernels));
  const width = Math.max(...files.map((file) => file.length));
  const results: FileResult[] = [];
  for (const file of files) {
    const result = await replayFile(directory, file, backend);
    results.push(result);
    console.log(fileLine(result, width));
  }
  console.log(totalsLine(results));
  backend.dispose();
  if (results.some(({ outcome }) => outcome === 'FAIL')) process.exitCode = 1;
}
