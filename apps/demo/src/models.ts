import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Backbone, createModel } from '@saccade/backbones';
import { parseSafetensors, serializeSafetensors } from '@saccade/weights';

/** One of the two models that the demo compares. */
export interface DemoModel {
  /** as `createModel` knows it */
  readonly name: `${'structvit' | 'uniformer'}_pico_video`;
  readonly title: string;
  readonly summary: string;
}

/** StructViT and its twin: the same network, data, order and optimiser; only the attention differs. */
export const DEMO_MODELS: readonly [DemoModel, DemoModel] = [
  {
    name: 'structvit_pico_video',
    title: 'StructViT pico',
    summary: 'structural self-attention (StructSA), 4 detectors of 3x3x3, stride 2',
  },
  { name: 'uniformer_pico_video', title: 'Plain twin', summary: 'the same network with plain self-attention' },
];

/** Loss and accuracy over the steps of a training run. */
export interface TrainingCurve {
  readonly step: number[];
  readonly loss: number[];
  readonly accuracy: number[];
}

/** A model with its weights, and how it came by them. */
export interface TrainedModel {
  readonly about: DemoModel;
  readonly model: Backbone;
  readonly seed: number;
  readonly steps: number;
  readonly seconds: number;
  readonly curve: TrainingCurve;
}

/** The weights that come with the repository; `pnpm --filter @saccade/demo run train:seeds` makes them. */
export function shippedWeights({ name }: DemoModel): string {
  return fileURLToPath(new URL(`../models/${name}.safetensors`, import.meta.url));
}

/** Writes a trained model to one safetensors file: weights under PyTorch's names, the rest as metadata. */
export async function saveTrained(path: string, { about, model, seed, steps, seconds, curve }: TrainedModel) {
  const metadata = { model: about.name, seed, steps, seconds, curve: JSON.stringify(curve) };
  const entries = Object.entries(metadata).map(([key, value]): [string, string] => [key, String(value)]);
  await writeFile(path, serializeSafetensors(await model.stateDict(), new Map(entries)));
}

/** Reads a file of {@link saveTrained}; the model comes in evaluation mode. */
export async function loadTrained(about: DemoModel, path: string): Promise<TrainedModel> {
  const file = parseSafetensors(await readFile(path));
  const { metadata } = file;
  if (metadata.get('model') !== about.name) {
    throw new Error(`${path}: expected weights of ${about.name}, got those of ${metadata.get('model') ?? 'no model'}.`);
  }
  const model = createModel(about.name);
  model.loadStateDict(file.toStateDict());
  model.eval();
  return {
    about,
    model,
    seed: Number(metadata.get('seed')),
    steps: Number(metadata.get('steps')),
    seconds: Number(metadata.get('seconds')),
    curve: JSON.parse(metadata.get('curve') ?? '{"step":[],"loss":[],"accuracy":[]}') as TrainingCurve,
  };
}
