import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SaccadeError } from '@saccade/tensor-ops';
import type { BackendInfo } from '@saccade/tensor-ops/node';
import { SafetensorsError } from '@saccade/weights';
import * as tf from '@tensorflow/tfjs-core';
import { type Check, Checks, passes } from './Checks.ts';
import { GoldenError } from './errors.ts';
import { Golden } from './Golden.ts';
import { DOCUMENTS, handlerOf } from './registry.ts';
import { Manifest } from './tolerances.ts';

/** What came of one file. */
export interface FileResult {
  readonly name: string;
  readonly outcome: 'ok' | 'FAIL';
  readonly checks: readonly Check[];
  /** why it failed, where no comparison says so */
  readonly notes: readonly string[];
}

/**
 * The golden files of a folder, sorted.
 *
 * @throws GoldenError if there are none
 */
export async function goldenFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch((cause) => {
    throw new GoldenError(`${directory}: expected a folder with golden files, got ${cause.code}`, { cause });
  });
  const files = names.filter((name) => name.endsWith('.safetensors') || DOCUMENTS.has(name)).sort();
  if (files.length === 0) throw new GoldenError(`${directory}: expected golden files (*.safetensors), found none`);
  return files;
}

/**
 * Replays one golden file on the backend in use.
 *
 * It passes if its kind is known, all its tensors were used, every comparison is within its tolerance, no tensor was
 * left behind and the GPU, if there is one, reported no error. An error is a result here: the other files still count.
 */
export async function replayFile(directory: string, name: string, backend: BackendInfo): Promise<FileResult> {
  const tensors = tf.memory().numTensors;
  let checks: readonly Check[] = [];
  const notes: string[] = [];
  try {
    if (DOCUMENTS.has(name)) {
      checks = await replayDocument(directory, name);
    } else {
      const golden = await Golden.open(join(directory, name));
      const handler = handlerOf(golden);
      const manifest = await Manifest.read(join(directory, 'manifest.json'));
      const scored = new Checks(golden, manifest.tolerances(name, backend.name));
      await handler.replay(golden, scored);
      checks = scored.all;
      const { unused } = golden;
      if (unused.length > 0) notes.push(`${unused.length} tensors not compared: ${unused.slice(0, 4).join(', ')}`);
    }
  } catch (error) {
    notes.push(explain(error));
  }
  if (notes.length === 0 && checks.length === 0) notes.push('nothing was compared');
  if (notes.length === 0 && tf.memory().numTensors !== tensors) {
    notes.push(`${tf.memory().numTensors - tensors} tensors left behind`);
  }
  const errors = await backend.takeErrors();
  if (errors.length > 0) notes.push(`${errors.length} GPU errors, the first: ${errors[0]?.split('\n', 1)[0]}`);
  return { name, outcome: notes.length === 0 && checks.every(passes) ? 'ok' : 'FAIL', checks, notes };
}

/** Errors on purpose speak for themselves; of bugs the place is told too. */
function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof SaccadeError || error instanceof SafetensorsError) return error.message;
  return `unexpected ${error.stack?.split('\n').slice(0, 4).join(' |') ?? error.message}`;
}

async function replayDocument(directory: string, name: string): Promise<Check[]> {
  const handler = DOCUMENTS.get(name);
  if (!handler) throw new GoldenError('no family knows this file');
  const checks: Check[] = [];
  const add = (name: string, error: number) => checks.push({ name, group: 'exact', error, tolerance: 0 });
  await handler(JSON.parse(await readFile(join(directory, name), 'utf8')), add, directory);
  return checks;
}
