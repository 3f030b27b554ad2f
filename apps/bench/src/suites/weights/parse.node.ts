import { readFile } from 'node:fs/promises';
import { openNumpy, openOnnx, parseSafetensors, parseTorch, type StateTensor } from '@saccade/weights';
import type { Values } from '../../core/check.ts';
import type { Comparison, Contender, OwnTiming, Prepared } from '../../core/comparison.ts';
import { LineProcess } from '../external/lineProcess.node.ts';
import { orUndo, workFolder } from '../external/workFolder.node.ts';
import {
  FORMATS,
  type Format,
  type ModelFiles,
  sameChecksum,
  sameWeights,
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
export function parseComparison(model: string, pythons?: readonly string[]): Comparison {
  return {
    suite: 'weights',
    id: `parse/${model}`,
    parameters: { model },
    async prepare(): Promise<Prepared> {
      const folder = await workFolder();
      return await orUndo(async () => {
        const formats = Object.keys(FORMATS) as Format[];
        const files = await writeModelFiles(folder, model, formats);
        const { torch, absent } = await findTorch(pythons);
        if (torch !== undefined) await rewriteByTorch(torch, files.paths['.pth']);
        const ours = await Promise.all(formats.map(async (format) => ownContender(files, format)));
        const process = torch && new LineProcess(torch.program);
        return {
          contenders: [...ours, ...(torch && process ? [torchContender(torch, process, files)] : [])],
          baseline: 'Saccade, safetensors',
          absent,
          async dispose() {
            await process?.close();
            await folder.remove();
          },
        };
      }, folder.remove);
    },
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
    check: async () => sameWeights(floatsOf(await read(bytes)), files),
  };
}

const floatsOf = (state: State): Values =>
  [...state.values()].filter(({ dtype }) => dtype === 'float32').map(({ data }) => data as Float32Array);

function torchContender({ engine }: Torch, process: LineProcess, files: ModelFiles): Contender {
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
