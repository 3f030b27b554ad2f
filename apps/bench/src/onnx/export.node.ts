// `pnpm --filter @saccade/bench export deit_s deit_s.onnx`: writes the network that is measured, with its seeded weights, as
// an ONNX file, for whoever wants to run it elsewhere.
import { writeFile } from 'node:fs/promises';
import { createModel, modelInfo } from '@saccade/backbones';
import { formatBytes, integerAtLeast } from '@saccade/command-kit';
import { SaccadeError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { Command } from 'commander';
import { networkGraph } from './networkGraph.ts';

interface ExportOptions {
  readonly batch: number;
  readonly seed: number;
}

const program = new Command('export')
  .description('Writes a plain vision transformer or a ResNet, with random weights, as an ONNX file.')
  .argument('<model>', 'a name out of listModels(): deit_s, resnet50')
  .argument('<file>', 'where to write it')
  .option('--batch <n>', 'images at once', integerAtLeast(1), 1)
  .option('--seed <n>', 'of the weights', integerAtLeast(0), 0)
  .action(exportNetwork);

async function exportNetwork(name: string, file: string, { batch, seed }: ExportOptions): Promise<void> {
  await setupBackend('cpu');
  const { input } = modelInfo(name);
  const model = createModel(name, { seed });
  const bytes = await networkGraph(model.eval(), input.slice(-2) as [number, number], batch);
  await writeFile(file, bytes);
  console.log(`${file}: ${name}, input [${batch}, 3, ${input.slice(-2).join(', ')}], ${formatBytes(bytes.length)}`);
}

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof SaccadeError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
