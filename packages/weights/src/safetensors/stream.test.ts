import { describe, expect, it } from 'vitest';
import type { StateTensor } from '../stateTensor.ts';
import { fixture } from '../testing/bytes.ts';
import { rejection } from '../testing/rejection.ts';
import { SafetensorsError } from './errors.ts';
import { parseSafetensors } from './parse.ts';
import { serializeSafetensors } from './serialize.ts';
import { streamSafetensors, type TensorToWrite } from './stream.ts';

const lazily = (tensors: Iterable<readonly [string, StateTensor]>, read = (tensor: StateTensor) => tensor) =>
  new Map(
    [...tensors].map(([name, tensor]): [string, TensorToWrite] => [name, { ...tensor, read: () => read(tensor) }]),
  );

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: number[] = [];
  for await (const piece of pieces) all.push(...piece);
  return Uint8Array.from(all);
}

describe('streamSafetensors', () => {
  it('gives the bytes of serializeSafetensors, of every dtype', async () => {
    const file = parseSafetensors(fixture('upstream_types.safetensors'));
    const { metadata } = file;
    // Not in the order in which they are written.
    const tensors = new Map([...file.toStateDict()].reverse());
    const streamed = await bytesOf(streamSafetensors(lazily(tensors), metadata));
    expect(streamed).toEqual(serializeSafetensors(tensors, metadata));
    expect(await bytesOf(streamSafetensors({}))).toEqual(serializeSafetensors({}));
  });

  it('reads one tensor after the other, each when the one before was taken', async () => {
    const tensors = ['a', 'b', 'c'].map((name): [string, StateTensor] => [
      name,
      { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) },
    ]);
    let reading = 0;
    const pieces = streamSafetensors(
      lazily(tensors, (tensor) => {
        reading++;
        return tensor;
      }),
    );
    const read: number[] = [];
    for await (const _ of pieces) read.push(reading);
    expect(read).toEqual([0, 1, 2, 3]);
  });

  it('refuses what the format cannot hold before anything is written, and a tensor that is another than was said', async () => {
    const tensor: StateTensor = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) };
    const refused = await rejection(
      streamSafetensors({ __metadata__: { ...tensor, read: () => tensor } }).next(),
      SafetensorsError,
    );
    expect(refused.code).toBe('InvalidArgument');
    for (const other of [
      { ...tensor, dtype: 'int32' as const },
      { ...tensor, shape: [1, 2] },
    ]) {
      const error = await rejection(
        bytesOf(streamSafetensors({ x: { ...tensor, read: () => other } })),
        SafetensorsError,
      );
      expect(error.code).toBe('InvalidTensorView');
      expect(error.message).toMatch(/"x" has dtype .* it was said to have float32 and \[2\]/);
    }
  });
});
