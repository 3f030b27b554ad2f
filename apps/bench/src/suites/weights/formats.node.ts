import { createModel, loadWeights } from '@saccade/backbones';
import type { Module } from '@saccade/nn';
import { openWeightsFile } from '@saccade/weights/node';
import type { Comparison, Contender } from '../../core/comparison.ts';
import { LineProcess } from '../../external/lineProcess.node.ts';
import { preparing, type Undo } from '../../external/prepared.ts';
import { workFolder } from '../../external/workFolder.node.ts';
import {
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
export function formatsComparison(model: string, formats: readonly Format[], pythons?: readonly string[]): Comparison {
  return {
    suite: 'weights',
    id: `formats/${model}`,
    parameters: { model },
    prepare: ({ settle }) =>
      preparing(async (undo) => {
        const files = await writeModelFiles(await workFolder(undo), model, formats);
        const { torch, absent } = await findTorch(pythons);
        if (torch !== undefined) await rewriteByTorch(torch, files.paths['.pth']);
        const built = createModel<string>(model, { seed: 2 });
        undo.push(() => built.dispose());
        const peer = torch && (await torchContender(torch, files, undo));
        const ours = formats.map((format) => fileContender(built, files, format, settle));
        return {
          contenders: [...ours, ...(peer ? [peer] : [])],
          baseline: peer ? peer.name : 'Saccade, .pth',
          absent,
        };
      }),
  };
}

/** A file of this format, read into the model. */
export function fileContender<F extends Format>(
  model: Module,
  files: Pick<ModelFiles, 'weights'> & { readonly paths: Readonly<Record<F, string>> },
  format: F,
  settle: () => Promise<void>,
): Contender {
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

async function torchContender(torch: Torch, files: ModelFiles, undo: Undo): Promise<Contender> {
  const process = new LineProcess(torch.program);
  undo.push(() => process.close());
  const path = files.paths['.pth'];
  const { threads } = await process.ask<{ threads: number }>({ do: 'build', path });
  const load = () => process.ask<LoadTiming>({ do: 'load', path });
  return {
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
  };
}
