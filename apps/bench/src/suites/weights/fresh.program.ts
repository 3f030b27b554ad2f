import { createInterface } from 'node:readline';
import { createModel, loadWeights } from '@saccade/backbones';
import { setupBackend } from '@saccade/tensor-ops/node';
import { openWeightsFile } from '@saccade/weights/node';
import { checksumOf, weightsOf } from './modelFiles.node.ts';
import type { LoadTiming } from './torch.node.ts';

// Loads weights in a process of its own, as loadWeights.py does; see fresh.node.ts.

/** What {@link createInterface} reads from the other side. */
type Question =
  | { readonly do: 'build'; readonly model: string }
  | { readonly do: 'load'; readonly path: string }
  | { readonly do: 'checksum' };

await setupBackend('wasm');
let model: ReturnType<typeof createModel<string>> | undefined;

console.log(JSON.stringify('ready'));
for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await answer(JSON.parse(line) as Question)));
}

async function answer(question: Question): Promise<LoadTiming | number | null> {
  if (question.do === 'build') {
    model = createModel<string>(question.model, { seed: 2 });
    return null;
  }
  if (model === undefined) throw new Error('build comes first');
  return question.do === 'load' ? await load(model, question.path) : checksumOf(await weightsOf(model));
}

async function load(built: ReturnType<typeof createModel<string>>, path: string): Promise<LoadTiming> {
  const bytesBefore = peakBytes();
  const [began, used] = [performance.now(), process.cpuUsage()];
  {
    await using file = await openWeightsFile(path);
    await loadWeights(built, file);
  }
  const wallMs = performance.now() - began;
  const { user, system } = process.cpuUsage(used);
  return { wallMs, cpuMs: (user + system) / 1000, peakBytes: peakBytes(), bytesBefore };
}

/** `maxRSS` is in KiB on all systems. */
function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
