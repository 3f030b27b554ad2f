import { stat } from 'node:fs/promises';
import { createModel, loadWeights } from '@saccade/backbones';
import { setupBackend } from '@saccade/tensor-ops/node';
import { type ByteSource, openWeights } from '@saccade/weights';
import { openFile, openWeightsFile } from '@saccade/weights/node';
import type { LargeMeasurement, LoadMeasurement } from './measurement.ts';

// One measurement, in a process of its own; see load.ts.

const [what, path = '', model = ''] = process.argv.slice(2);
console.log(JSON.stringify(what === 'load' ? await load() : await large()));

async function load(): Promise<LoadMeasurement> {
  await setupBackend('wasm');
  using built = createModel<string>(model, { seed: 2 });
  const bytesBefore = peakBytes();
  const began = performance.now();
  {
    await using file = await openWeightsFile(path);
    await loadWeights(built, file);
  }
  const milliseconds = performance.now() - began;
  const measured = { fileBytes: (await stat(path)).size, milliseconds, peakBytes: peakBytes(), bytesBefore };
  let checksum = 0;
  for (const { dtype, data } of (await built.stateDict()).values()) {
    if (dtype === 'float32') for (const value of data) checksum += Math.abs(value);
  }
  return { ...measured, checksum };
}

async function large(): Promise<LargeMeasurement> {
  let bytes = 0;
  const opened = async () => {
    const file = await openFile(path);
    const source: ByteSource = {
      size: file.size,
      read: async (start, end) => {
        bytes += end - start;
        return await file.read(start, end);
      },
    };
    return await openWeights(source);
  };
  const timed = async <T>(work: () => Promise<T>) => {
    bytes = 0;
    const began = performance.now();
    const result = await work();
    return { milliseconds: performance.now() - began, bytes, result };
  };
  const first = await timed(opened);
  const again = await timed(opened);
  const read = await timed(() => first.result.get('blocks.700.weight'));
  return {
    openMilliseconds: first.milliseconds,
    openAgainMilliseconds: again.milliseconds,
    readMilliseconds: read.milliseconds,
    openBytes: first.bytes,
    readBytes: read.bytes,
  };
}

/** `maxRSS` is in KiB on all systems. */
function peakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
