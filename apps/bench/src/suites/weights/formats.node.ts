import { createModel, loadWeights } from '@saccade/backbones';
import type { Module } from '@saccade/nn';
import { openWeightsFile } from '@saccade/weights/node';
import type { Comparison, Contender, Prepared } from '../../core/comparison.ts';
import { LineProcess } from '../external/lineProcess.node.ts';
import { orUndo, workFolder } from '../external/workFolder.node.ts';
import {
  FORMATS,
  type Format,
  type ModelFiles,
  sameChecksum,
  sameWeights,
  weightsOf,
  writeModelFiles,
} from './modelFiles.node.ts';
import { findTorch, type LoadTiming, rewriteByTorch, type Torch } from './torch.node.ts';

/**
 * The same weights out of files of every format into one model, in a process that has loaded before, beside PyTorch on the same
 * .pth in such a process.
 */
export function formatsComparison(model: string, pythons?: readonly string[]): Comparison {
  return {
    suite: 'weights',
    id: `formats/${model}`,
    parameters: { model },
    async prepare({ settle }): Promise<Prepared> {
      const folder = await workFolder();
      return await orUndo(async () => {
        const files = await writeModelFiles(folder, model, Object.keys(FORMATS) as Format[]);
        const { torch, absent } = await findTorch(pythons);
        if (torch !== undefined) await rewriteByTorch(torch, files.paths['.pth']);
        const built = createModel<string>(model, { seed: 2 });
        const peer = torch && (await torchContender(torch, files));
        const ours = Object.keys(FORMATS).map((format) => ownContender(built, files, format as Format, settle));
        return {
          contenders: [...ours, ...(peer ? [peer.contender] : [])],
          baseline: peer ? peer.contender.name : 'Saccade, .pth',
          absent,
          async dispose() {
            built.dispose();
            await peer?.process.close();
            await folder.remove();
          },
        };
      }, folder.remove);
    },
  };
}

function ownContender(model: Module, files: ModelFiles, format: Format, settle: () => Promise<void>): Contender {
  const load = async () => {
    await using file = await openWeightsFile(files.paths[format]);
    await loadWeights(model, file);
    await settle();
  };
  return {
    name: `Saccade, ${format}`,
    role: 'saccade',
    run: async () => {
      await load();
      return undefined;
    },
    async check() {
      await load();
      return sameWeights(await weightsOf(model), files);
    },
  };
}

async function torchContender(
  torch: Torch,
  files: ModelFiles,
): Promise<{ readonly contender: Contender; readonly process: LineProcess }> {
  const process = new LineProcess(torch.program);
  const path = files.paths['.pth'];
  const { threads } = await process.ask<{ threads: number }>({ do: 'build', path });
  const load = () => process.ask<LoadTiming>({ do: 'load', path });
  return {
    process,
    contender: {
      name: 'PyTorch, .pth',
      role: 'peer',
      engine: `${torch.engine}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
      async run() {
        // Its memory is that of a process which has loaded before: `fresh` measures memory.
        const { wallMs, cpuMs } = await load();
        return { wallMs, ...(cpuMs !== undefined && { cpuMs }) };
      },
      async check() {
        await load();
        return sameChecksum(await process.ask<number>({ do: 'checksum' }), files);
      },
    },
  };
}
