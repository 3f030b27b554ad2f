import { readFile } from 'node:fs/promises';
import type { Classifier } from '@saccade/engine';
import * as tf from '@tensorflow/tfjs-core';
import { csvFormat, csvParse } from 'd3-dsv';
import type { Setting } from './studies.ts';
import type { Samples } from './taskSamples.ts';
import { writeWhole } from './writeWhole.ts';

/** What a setting's probe saw of a network after so many training steps. */
export interface Probe {
  /** id of the setting */
  readonly setting: string;
  readonly seed: number;
  readonly step: number;
  readonly values: Readonly<Record<string, number>>;
}

/** A network while it trains. */
export interface ProbedRun {
  readonly setting: Setting;
  readonly seed: number;
  /** training steps in all */
  readonly steps: number;
  readonly model: Classifier;
  readonly heldOut: Samples;
}

/** Looks are taken at the beginning and after every such share of the steps. */
const EVERY = 1 / 20;

/** Held-out samples that the probe sees: the first so many. */
const PROBED = 64;

/** Takes a look after `step` steps, where one is due, in evaluation mode; the network's mode is put back. */
export function probeAt(step: number, run: ProbedRun, onProbe: ((probe: Probe) => void) | undefined): void {
  const { setting, seed, steps, model, heldOut } = run;
  if (!setting.probe || !onProbe || step % Math.max(1, Math.round(steps * EVERY)) !== 0) return;
  const { training } = model;
  const { inputs } = heldOut.batch(Array.from({ length: Math.min(PROBED, heldOut.length) }, (_, i) => i));
  try {
    model.eval();
    onProbe({ setting: setting.id, seed, step, values: setting.probe(model, inputs) });
  } finally {
    model.train(training);
    tf.dispose(inputs);
  }
}

/** A row of `probes.csv`. */
export interface ProbedValue extends Omit<Probe, 'values'> {
  readonly name: string;
  readonly value: number;
}

/** The values of a file, one a row, as {@link appendProbes} left them; none if there is no file. */
export async function readProbes(path: string): Promise<ProbedValue[]> {
  try {
    return csvParse(await readFile(path, 'utf8'), ({ setting = '', seed, step, name = '', value }) => ({
      setting,
      seed: Number(seed),
      step: Number(step),
      name,
      value: Number(value),
    }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Adds what was seen of one run to a file; nothing of an earlier try of the same run stays. */
export async function appendProbes(path: string, probes: readonly Probe[]): Promise<void> {
  const [first] = probes;
  if (!first) return;
  const others = (await readProbes(path)).filter((row) => row.setting !== first.setting || row.seed !== first.seed);
  const rows = probes.flatMap(({ values, ...probe }) =>
    Object.entries(values).map(([name, value]) => ({ ...probe, name, value: Number(value.toFixed(4)) })),
  );
  await writeWhole(path, `${csvFormat([...others, ...rows], ['setting', 'seed', 'step', 'name', 'value'])}\n`);
}
