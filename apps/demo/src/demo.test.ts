import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setupBackend } from '@saccade/tensor-ops/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildReport, type MeasuredModel } from './buildReport.ts';
import { measure } from './measure.ts';
import { DEMO_MODELS, loadTrained, saveTrained, shippedWeights } from './models.ts';
import { writeReport } from './report/writeReport.ts';
import { committedSeeds } from './seedResults.ts';
import { CLIP_SEED, motionClips } from './task.ts';
import { RECIPE, trainModel } from './training.ts';

const [, twin] = DEMO_MODELS;
const never = new AbortController().signal;
let folder: string;

beforeAll(async () => {
  await setupBackend('wasm');
  folder = await mkdtemp(join(tmpdir(), 'saccade-demo-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('the main job', () => {
  it('evaluates the shipped models far above what order-blind models can reach, and reports it', async () => {
    const clips = await motionClips('test', CLIP_SEED, 64);
    const backend = await setupBackend('wasm');
    const measured: MeasuredModel[] = [];
    for (const about of DEMO_MODELS) {
      const trained = await loadTrained(about, shippedWeights(about));
      expect(trained.steps).toBe(RECIPE.steps);
      const measurement = await measure(trained, clips, never);
      expect(measurement.forwards.accuracy).toBeGreaterThan(0.6);
      measured.push({ trained, measurement, seeds: await committedSeeds(about.name) });
    }
    expect(measured.map(({ seeds }) => seeds.length)).toEqual([3, 3]);
    const html = writeReport(await buildReport(measured as [MeasuredModel, MeasuredModel], clips, backend));
    expect(html).toContain('StructViT pico');
    expect(html).toMatch(/<title>/);
  }, 120_000);

  it('refuses weights of the other model by name', async () => {
    const [structured] = DEMO_MODELS;
    await expect(loadTrained(structured, shippedWeights(twin))).rejects.toThrow(/structvit_pico_video.*uniformer/);
  });
});

describe('training', () => {
  it('goes on after an interruption as if there had been none', async () => {
    const options = { seed: 3, steps: 4, signal: never };
    const whole = await trainModel(twin, { ...options, checkpoint: join(folder, 'whole') });

    const checkpoint = join(folder, 'parts');
    // The signal is looked at before each step: this one lets two of them run.
    let looks = 0;
    const afterTwo = {
      get aborted() {
        return ++looks > 2;
      },
      reason: new Error('Ctrl-C'),
    } as AbortSignal;
    await expect(trainModel(twin, { ...options, checkpoint, signal: afterTwo })).rejects.toThrow('Ctrl-C');
    expect(existsSync(checkpoint)).toBe(true);
    const resumed = await trainModel(twin, { ...options, checkpoint });

    expect(existsSync(checkpoint)).toBe(false);
    expect(await resumed.model.stateDict()).toEqual(await whole.model.stateDict());
  }, 120_000);

  it('gives a file that loads again to the same weights', async () => {
    const trained = await trainModel(twin, { seed: 0, steps: 2, checkpoint: join(folder, 'two'), signal: never });
    const path = join(folder, 'two.safetensors');
    await saveTrained(path, trained);
    const loaded = await loadTrained(twin, path);
    expect(loaded).toMatchObject({ seed: 0, steps: 2, curve: trained.curve });
    expect(await loaded.model.stateDict()).toEqual(await trained.model.stateDict());
  }, 120_000);
});
