import type { Comparison, Contender } from '../../core/comparison.ts';
import { LineProcess, type LineProgram, ownProgram } from '../../external/lineProcess.node.ts';
import { preparing } from '../../external/prepared.ts';
import { workFolder } from '../../external/workFolder.node.ts';
import { sameChecksum, writeModelFiles } from './modelFiles.node.ts';
import { findTorch, type LoadTiming, rewriteByTorch } from './torch.node.ts';

/**
 * A .pth file into a model, each time in a process of its own: a peak of memory belongs to a process, and so does code that is not
 * compiled yet. Starting the process and building the model do not count.
 */
export function freshComparison(model: string, pythons?: readonly string[]): Comparison {
  return {
    suite: 'weights',
    id: `fresh/${model}`,
    parameters: { model, format: '.pth' },
    prepare: () =>
      preparing(async (undo) => {
        const files = await writeModelFiles(await workFolder(undo), model, ['.pth']);
        const path = files.paths['.pth'];
        const { torch, absent } = await findTorch(pythons);
        if (torch !== undefined) await rewriteByTorch(torch, path);
        const contender = (name: string, role: Contender['role'], program: LineProgram): Contender => ({
          name,
          role,
          run: () => inProcess(program, async (process) => await loaded(process, path, model)),
          check: () =>
            inProcess(program, async (process) => {
              await loaded(process, path, model);
              return sameChecksum(await process.ask<number>({ do: 'checksum' }), files);
            }),
        });
        const own = contender('Saccade', 'saccade', ownProgram(new URL('fresh.program.ts', import.meta.url)));
        const peer = torch && { ...contender('PyTorch', 'peer', torch.program), engine: torch.engine };
        return { contenders: [own, ...(peer ? [peer] : [])], baseline: (peer ?? own).name, absent };
      }),
  };
}

async function loaded(process: LineProcess, path: string, model: string) {
  await process.ask({ do: 'build', path, model });
  const { bytesBefore, ...timing } = await process.ask<LoadTiming>({ do: 'load', path });
  return { ...timing, quantities: { peakProcessBytes: timing.peakBytes, processBytesBefore: bytesBefore } };
}

async function inProcess<T>(program: LineProgram, work: (process: LineProcess) => Promise<T>): Promise<T> {
  const process = new LineProcess(program);
  try {
    return await work(process);
  } finally {
    await process.close();
  }
}
