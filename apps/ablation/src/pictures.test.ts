import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setupBackend } from '@saccade/tensor-ops/node';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fashionSamples } from './pictures.ts';

/** An IDX file of unsigned bytes. */
function idx(shape: readonly number[], data: readonly number[]): Uint8Array {
  const sizes = shape.flatMap((size) => [0, 0, size >> 8, size & 255]);
  return Uint8Array.from([0, 0, 8, shape.length, ...sizes, ...data]);
}

let folder: string;

beforeAll(() => setupBackend('wasm'));
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saccade-pictures-'));
  const write = (name: string, bytes: Uint8Array) => writeFile(join(folder, name), bytes);
  await write('train-images-idx3-ubyte', idx([2, 1, 2], [0, 255, 51, 102]));
  await write('train-labels-idx1-ubyte', idx([2], [3, 9]));
  await write('t10k-images-idx3-ubyte', idx([1, 1, 2], [153, 204]));
  await write('t10k-labels-idx1-ubyte', idx([1], [7]));
});
afterEach(() => rm(folder, { recursive: true }));

describe('fashionSamples', () => {
  it('normalises pictures, in the order of the indices, with their labels', async () => {
    const { inputs, labels } = (await fashionSamples(folder)).training(0).batch([1, 0]);
    expect(inputs.shape).toEqual([2, 1, 2, 1]);
    const values = [0.2, 0.4, 0, 1].map((grey) => (grey - 0.286) / 0.353);
    for (const [i, value] of (await inputs.data()).entries()) expect(value).toBeCloseTo(values[i] as number, 5);
    expect([...labels]).toEqual([9, 3]);
    inputs.dispose();
  });

  it('measures on pictures of the other part', async () => {
    const samples = await fashionSamples(folder);
    expect(samples.heldOut(1).length).toBe(1);
    expect([...samples.heldOut(1).batch([0]).labels]).toEqual([7]);
    expect(() => samples.heldOut(2)).toThrow(/--samples: expected at most 1 test pictures, got 2/);
  });

  it('says where the files are to be had', async () => {
    await expect(fashionSamples()).rejects.toThrow(/--data.*zalandoresearch/s);
    await expect(fashionSamples(join(folder, 'none'))).rejects.toThrow(/none/);
  });
});
