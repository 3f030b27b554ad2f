import type { MixerBlock } from '@saccade/backbones';
import type { MotionClip, MotionDataset } from '@saccade/datasets';
import type { Evaluation } from '@saccade/engine';
import { StructSelfAttention } from '@saccade/structsa';
import * as tf from '@tensorflow/tfjs-core';
import type { TrainedModel } from './models.ts';
import type { GalleryClip, StructureMap } from './report/types.ts';
import { asBatches } from './task.ts';

/** How many clips of the gallery come with structure maps. */
const WITH_MAPS = 6;

/**
 * One clip of each class, the first ones of the held-out set, with both models' probabilities; not chosen by result.
 *
 * @param evaluations of the two models on `clips`, in the order of the report
 */
export async function gallery(
  clips: MotionDataset,
  evaluations: readonly [Evaluation, Evaluation],
  structured: TrainedModel,
): Promise<GalleryClip[]> {
  const count = clips.classes.length;
  const entries: GalleryClip[] = [];
  for (let index = 0; index < count; index++) {
    const clip = clips.get(index);
    const [frames, height, width] = clips.shape as [number, number, number];
    entries.push({
      frames: { count: frames, height, width, pixels: clip.frames },
      label: clip.label,
      probabilities: [probabilities(evaluations[0], index, count), probabilities(evaluations[1], index, count)],
      note: `a ${clip.digit.value} at ${clip.speed.toFixed(1)} pixels a frame`,
      ...(index < WITH_MAPS ? { maps: await structureMapsOf(structured, clips, index) } : {}),
    });
  }
  return entries;
}

/** The softmax of a clip's logits. */
function probabilities({ logits }: Evaluation, index: number, classes: number): Float32Array {
  const row = logits.subarray(index * classes, (index + 1) * classes);
  const max = Math.max(...row);
  const exponentials = row.map((logit) => Math.exp(logit - max));
  const sum = exponentials.reduce((total, value) => total + value, 0);
  return exponentials.map((value) => value / sum);
}

/** Equation (21) for one query in every block that has StructSA: the token on which the digit stands in mid-clip. */
async function structureMapsOf({ about, model }: TrainedModel, clips: MotionDataset, index: number) {
  const clip = clips.get(index);
  const { inputs } = await asBatches(clips).batch([index]);
  const maps: StructureMap[] = [];
  try {
    for (const [s, stage] of model.stages.entries()) {
      for (const [b, block] of stage.items.entries()) {
        const { attn } = block as MixerBlock;
        if (!(attn instanceof StructSelfAttention)) continue;
        const grid = stageGrid(model, inputs, s);
        const query = queryOf(clip, grid, clips.shape);
        const weights = await record(attn, grid, query, () => model.forward(inputs));
        const title = `${about.title}, stage ${s + 1}, block ${b + 1}, mean over channels`;
        maps.push({ title, grid, query, weights });
      }
    }
  } finally {
    inputs.dispose();
  }
  return maps;
}

type TokenGrid = StructureMap['grid'];

function stageGrid(model: TrainedModel['model'], inputs: tf.Tensor, stage: number): TokenGrid {
  return tf.tidy(() => {
    const [, time, rows, columns] = (model.forwardIntermediates(inputs)[stage] as tf.Tensor5D).shape;
    return { time, rows, columns };
  });
}

function queryOf(clip: MotionClip, grid: TokenGrid, [frames, height, width]: readonly number[]): StructureMap['query'] {
  const time = Math.floor(grid.time / 2);
  const frame = Math.floor((time * (frames as number)) / grid.time);
  const cell = (axis: 0 | 1, cells: number, size: number) => {
    const position = clip.positions[2 * frame + axis] as number;
    return Math.floor((((position % size) + size) % size) / (size / cells));
  };
  return { time, row: cell(0, grid.rows, height as number), column: cell(1, grid.columns, width as number) };
}

/** The merged map of one query, mean over channels, from a forward pass: [time, rows, columns]. */
async function record(
  attn: StructSelfAttention,
  grid: TokenGrid,
  { time, row, column }: StructureMap['query'],
  forward: () => tf.Tensor,
): Promise<Float32Array> {
  let map: tf.Tensor | undefined;
  attn.recorder = {
    queries: [(time * grid.rows + row) * grid.columns + column],
    receive: ({ merged }) => {
      map = tf.keep(tf.mean(merged, [0, 1, 3]));
    },
  };
  try {
    tf.tidy(() => void forward());
    return Float32Array.from(await (map as unknown as tf.Tensor).data());
  } finally {
    attn.recorder = undefined;
    (map as tf.Tensor | undefined)?.dispose();
  }
}
