// Trains both models with several seeds, evaluates them, and writes what the repository ships: the results of all seeds
// and the weights of the first. `pnpm --filter @saccade/demo run train:seeds`; takes about half an hour.
import { mkdir, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setupBackend } from '@saccade/tensor-ops/node';
import { measure, proportion } from './measure.ts';
import { DEMO_MODELS, saveTrained, shippedWeights } from './models.ts';
import { SEEDS_FILE, type SeedFile, type SeedRecord } from './seedResults.ts';
import { CLIP_SEED, motionClips, TASK } from './task.ts';
import { RECIPE, trainModel } from './training.ts';

const SEEDS = [0, 1, 2];
const CLIPS = 1600;
const CACHE = fileURLToPath(new URL('../../../.cache/demo/', import.meta.url));

await setupBackend('wasm');
const clips = await motionClips('test', CLIP_SEED, CLIPS);
const { signal } = new AbortController();
const results: SeedRecord[] = [];
for (const seed of SEEDS) {
  for (const about of DEMO_MODELS) {
    const checkpoint = resolve(CACHE, `${about.name}-${RECIPE.steps}-seed${seed}.checkpoint.safetensors`);
    const trained = await trainModel(about, { seed, steps: RECIPE.steps, checkpoint, signal });
    const { forwards, backwards, backwardsAsFilmed, shuffled } = await measure(trained, clips, signal);
    results.push({
      model: about.name,
      seed,
      steps: trained.steps,
      trainingSeconds: trained.seconds,
      forwards: proportion(forwards.predicted, forwards.labels),
      backwardsAsShown: proportion(backwards.predicted, backwards.labels),
      backwardsAsFilmed,
      shuffled: proportion(shuffled.predicted, shuffled.labels),
    });
    if (seed === SEEDS[0]) {
      await mkdir(dirname(shippedWeights(about)), { recursive: true });
      await saveTrained(shippedWeights(about), trained);
    }
    trained.model.dispose();
    const machine = `${cpus()[0]?.model}, Node ${process.version}, wasm`;
    const file: SeedFile = { task: TASK, clips: CLIPS, clipSeed: CLIP_SEED, machine, results };
    await mkdir(dirname(SEEDS_FILE), { recursive: true });
    await writeFile(SEEDS_FILE, `${JSON.stringify(file, null, 2)}\n`);
  }
}
