import { writeFile } from 'node:fs/promises';
import { createModel, toTsmKeys } from '@saccade/backbones';
import type { Module } from '@saccade/nn';
import { applyKeyMap, type StateTensor, serializeSafetensors, serializeTorch } from '@saccade/weights';
import { compareValues, type Values } from '../../core/check.ts';
import type { CheckResult } from '../../core/row.ts';
import type { WorkFolder } from '../../external/workFolder.node.ts';
import { type NamedState, npzFile, onnxFile } from './otherFormats.ts';

/** Formats of files of the same weights. */
export const FORMATS = {
  '.pth': serializeTorch,
  safetensors: serializeSafetensors,
  '.npz': npzFile,
  ONNX: onnxFile,
} as const satisfies Record<string, (state: NamedState) => Uint8Array>;

export type Format = keyof typeof FORMATS;

/** Those that are read fast enough for a quick run: the checksums of an .npz are ours to compute. */
export const QUICK_FORMATS: readonly Format[] = ['.pth', 'safetensors', 'ONNX'];
export const ALL_FORMATS = Object.keys(FORMATS) as Format[];

/** Files of one model with random weights, and what stands in them. */
export interface ModelFiles {
  readonly model: string;
  readonly paths: Readonly<Record<Format, string>>;
  /** under the names that they have in the files */
  readonly named: NamedState;
  /** float32 weights in the order of the model's state dict */
  readonly weights: Values;
  readonly checksum: number;
}

/** Writes a model's weights under the names that published files have, so that renaming is part of loading. */
export async function writeModelFiles<F extends Format>(
  folder: WorkFolder,
  model: string,
  formats: readonly F[],
): Promise<Omit<ModelFiles, 'paths'> & { readonly paths: Readonly<Record<F, string>> }> {
  using built = createModel<string>(model, { seed: 1 });
  const state = (await built.stateDict()) as Map<string, StateTensor>;
  const named = 'baseModel' in built ? applyKeyMap(toTsmKeys(built.config), state).state : state;
  const paths = {} as Record<F, string>;
  for (const format of formats) {
    paths[format] = folder.path(`${model}.${format.replace('.', '')}`);
    await writeFile(paths[format], FORMATS[format](named));
  }
  const weights = floatsOf(state);
  return { model, paths, named, weights, checksum: checksumOf(weights) };
}

const floatsOf = (state: NamedState): Values =>
  [...state.values()].filter(({ dtype }) => dtype === 'float32').map(({ data }) => data as Float32Array);

/** The sum over all tensors of |v_i| (1 + i mod 7), as loadWeights.py takes it. */
export function checksumOf(tensors: Values): number {
  let sum = 0;
  for (const tensor of tensors)
    for (let i = 0; i < tensor.length; i++) sum += Math.abs(tensor[i] as number) * ((i % 7) + 1);
  return sum;
}

/** Float32 weights of a file in the order in which they were written, whatever the file's. */
export function weightsIn(state: NamedState, { named }: Pick<ModelFiles, 'named'>): Values {
  return floatsOf(new Map([...named.keys()].map((name) => [name, state.get(name) as StateTensor])));
}

/** Float32 weights of a model, in the order of its state dict. */
export async function weightsOf(model: Module): Promise<Values> {
  return floatsOf((await model.stateDict()) as Map<string, StateTensor>);
}

/** Whether tensors are those that were written, to the bit. */
export function sameWeights(actual: Values, { weights }: Pick<ModelFiles, 'weights'>): CheckResult {
  return compareValues('the weights that were written', actual, weights, 0);
}

/** Whether a checksum is that of the weights that were written; programs add in another order. */
export function sameChecksum(actual: number, { checksum }: Pick<ModelFiles, 'checksum'>): CheckResult {
  const against = 'the checksum of the weights that were written';
  return { against, error: Math.abs(actual - checksum) / Math.abs(checksum), tolerance: 1e-9 };
}
