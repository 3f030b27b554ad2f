import { createDgt, type DgtConfig, dgtCost, picoDgtConfig } from '@saccade/backbones';
import { type DgAttentionOptions, DgSelfAttention, dgAttention, usageOfSizes } from '@saccade/dg-attention';
import type { Classifier } from '@saccade/engine';
import { type MixerSpec, plainAttention, windowed } from '@saccade/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { Setting, Study } from './studies.ts';
import { classCount, type StudyTask } from './tasks.ts';

/** Each of 14x14 tokens attends to a quarter of them, 49: of its group, or of its window of 7x7. */
const GROUPED: DgAttentionOptions = { groups: 8, topK: 49 };

/**
 * What choosing keys by groups gives over choosing them by place, and over taking all: a pico DGT on pictures, in whose first
 * stage only the attention differs. Parameters are equal; centroids are buffers.
 */
export const DG_STUDY: Study = {
  id: 'dg',
  tasks: ['fashion'],
  settings: [
    setting('plain', 'all 196 keys', plainAttention()),
    setting('window', '49 keys, windows', windowed(plainAttention(), 7)),
    setting('dg', '49 keys, 8 groups', dgAttention({ ...GROUPED, init: 'queries' })),
    setting('dg-random', 'random centroids', dgAttention(GROUPED)),
  ],
  reference: 'window',
  referenceTitle: 'windows',
  questions: [
    { factor: 'groups instead of windows', from: 'window', to: 'dg' },
    { factor: 'groups instead of all keys', from: 'plain', to: 'dg' },
    { factor: 'windows instead of all keys', from: 'plain', to: 'window' },
    { factor: 'centroids from queries', from: 'dg-random', to: 'dg' },
  ],
  network: networkOf(plainAttention()),
};

function setting(id: string, title: string, mixer: MixerSpec): Setting {
  const config = (task: StudyTask, seed = 0): DgtConfig => ({
    ...picoDgtConfig(mixer),
    numClasses: classCount(task),
    seed,
  });
  return {
    id,
    title,
    create: (task, seed) => createDgt(config(task, seed)),
    cost: (task) => dgtCost(config(task), [28, 28]),
    ...(id.startsWith('dg') && { probe: groupUsages }),
  };
}

/** What recipes are compared by: mixers are functions, and the settings' own business. */
function networkOf(mixer: MixerSpec): object {
  const { mixers: _, ...rest } = picoDgtConfig(mixer);
  return rest;
}

/** Of every DG-Attention: the entropy of its groups as a share of that of equal ones, and how many are empty; means over heads. */
function groupUsages(model: Classifier, inputs: tf.Tensor): Record<string, number> {
  const values: Record<string, number> = {};
  const layers = [...model.namedModules()].filter(([, module]) => module instanceof DgSelfAttention);
  for (const [name, layer] of layers as [string, DgSelfAttention][]) {
    const { heads } = layer;
    const { groups } = layer.options;
    layer.recorder = {
      receive({ assignment }) {
        const usages = Array.from({ length: heads }, () => new Array<number>(groups).fill(0));
        const queries = assignment.shape[2];
        for (const [i, group] of assignment.dataSync().entries()) {
          (usages[Math.floor(i / queries) % heads] as number[])[group]!++;
        }
        const mean = (of: (sizes: readonly number[]) => number) =>
          usages.reduce((sum, one) => sum + of(one), 0) / heads;
        values[`${name} entropy`] = mean((sizes) => usageOfSizes(sizes).entropy) / Math.log(groups);
        values[`${name} empty`] = mean((sizes) => usageOfSizes(sizes).empty);
      },
    };
  }
  try {
    tf.dispose(model.forward(inputs));
  } finally {
    for (const [, layer] of layers as [string, DgSelfAttention][]) layer.recorder = undefined;
  }
  return values;
}
