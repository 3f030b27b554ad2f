import { readFile } from 'node:fs/promises';
import { openNumpy, openOnnx, parseSafetensors, parseTorch, type StateTensor } from '@saccade/weights';
import type { Comparison, Contender, OwnTiming } from '../../core/comparison.ts';
import { LineProcess } from '../../external/lineProcess.node.ts';
import { preparing, type Undo } from '../../external/prepared.ts';
import { workFolder } from '../../external/workFolder.node.ts';
import {
  type Format,
  type ModelFiles,
  sameChecksum,
  sameWeights,
  weightsIn,
  writeModelFiles,
} from './modelFiles.node.ts';
import { findTorch, rewriteByTorch, type Torch } from './torch.node.ts';

type State = ReadonlyMap<string, StateTensor>;

/** All tensors of a file in memory, by each format's own reader. */
const READERS: Readonly<Record<Format, (bytes: Uint8Array) => State | Promise<State>>> = {
  '.pth': (bytes) => parseTorch(bytes).stateDict().toStateDict(),
  safetensors: (bytes) => parseSafetensors(bytes).toStateDict(),
  '.npz': async (bytes) => (await openNumpy(bytes)).toStateDict(),
  ONNX: async (bytes) => (await openOnnx(bytes)).toStateDict(),
};

/** From the bytes of a file in memory to named tensors, without a model. */
export function parseComparison(model: string, formats: readonly Format[], pythons?: readonly string[]): Comparison {
  return {
    suite: 'weights',
    id: `parse/${model}`,
    parameters: { model },
    prepare: () =>
      preparing(async (undo) => {
        const files = await writeModelFiles(await workFolder(undo), model, formats);
        const { torch, absent } = await findTorch(pythons);
        if (torch !== undefined) await rewriteByTorch(torch, files.paths['.pth']);
        const ours = await Promise.all(formats.map(async (format) => ownContender(files, format)));
        const theirs = torch ? [torchContender(torch, files, undo)] : [];
        return { contenders: [...ours, ...theirs], baseline: 'Saccade, safetensors', absent };
      }),
  };
}

async function ownContender(files: ModelFiles, format: Format): Promise<Contender> {
  const bytes = await readFile(files.paths[format]);
  const read = READERS[format];
  return {
    name: `Saccade, ${format}`,
    role: 'saccade',
    run: async () => {
      await read(bytes);
      return undefined;
    },
    check: async () => sameWeights(weightsIn(await read(bytes), files), files),
  };
}

function torchContender({ engine, program }: Torch, files: ModelFiles, undo: Undo): Contender {
  const process = new LineProcess(program);
  undo.push(() => process.close());
  const parse = () =>
    process.ask<OwnTiming & { readonly checksum: number }>({ do: 'parse', path: files.paths['.pth'] });
  return {
    name: 'PyTorch, .pth',
    role: 'peer',
    engine,
    async run() {
      const { wallMs, cpuMs } = await parse();
      return { wallMs, ...(cpuMs !== undefined && { cpuMs }) };
    },
    check: async () => sameChecksum((await parse()).checksum, files),
  };
}
