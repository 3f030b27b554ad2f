import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OnnxFileError } from './onnx/errors.ts';
import { openWeightsFile } from './openWeightsFile.ts';
import { serializeSafetensors } from './safetensors/serialize.ts';
import { SourceError } from './source/errors.ts';
import { fixtureBytes } from './testing/expectations.ts';
import { external, onnxOf, tensorProto } from './testing/onnxBuilder.ts';
import { rejection } from './testing/rejection.ts';
import { modelOf } from './testing/tfjsBuilder.ts';
import { TfjsFileError } from './tfjs/errors.ts';

let folder: string;
const at = (...parts: string[]) => join(folder, ...parts);
const one = Uint8Array.of(0, 0, 128, 63);
const bias = { name: 'b', shape: [1], dtype: 'float32' };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'saccade-open-'));
  mkdirSync(at('model', 'weights'), { recursive: true });
  writeFileSync(at('model', 'model.json'), modelOf([{ weights: [bias], shards: { 'weights/b.bin': one } }]).json);
  writeFileSync(at('model', 'weights', 'b.bin'), one);
  writeFileSync(at('secret.bin'), one);
  writeFileSync(at('model', 'up.json'), modelOf([{ weights: [bias], shards: { '../secret.bin': one } }]).json);
  writeFileSync(at('model', 'missing.json'), modelOf([{ weights: [bias], shards: { 'c.bin': one } }]).json);
  const tensor = { dtype: 'float32' as const, shape: [1], data: Float32Array.of(1) };
  writeFileSync(at('model', 'm-1.safetensors'), serializeSafetensors({ b: tensor }));
  writeFileSync(at('model', 'm.safetensors.index.json'), JSON.stringify({ weight_map: { b: 'm-1.safetensors' } }));
  const outside = tensorProto('b', 1, [1], external({ location: 'weights/b.bin' }));
  writeFileSync(at('model', 'm.onnx'), onnxOf(outside));
  // The name says nothing: this is an array.
  writeFileSync(at('array.pth'), fixtureBytes('numpy/version_1.npy'));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('openWeightsFile', () => {
  it.each([
    ['model.json', 'tfjs', ['model.json', 'weights/b.bin']],
    ['m.safetensors.index.json', 'safetensors', ['m.safetensors.index.json', 'm-1.safetensors']],
    ['m.onnx', 'onnx', ['m.onnx', 'weights/b.bin']],
  ])('finds the files beside %s', async (name, format, paths) => {
    await using file = await openWeightsFile(at('model', name));
    expect(file.format).toBe(format);
    expect(file.paths).toEqual(paths.map((path) => at('model', path)));
    expect([file.names, file.has('b'), file.metadata.size]).toEqual([['b'], true, format === 'tfjs' ? 1 : 0]);
    expect(file.info('b')).toEqual({ dtype: 'float32', shape: [1], byteLength: 4 });
    expect((await file.get('b')).data).toEqual(Float32Array.of(1));
    expect(await file.bytes('b')).toEqual(one);
    expect((await file.toStateDict()).size).toBe(1);
  });

  it('goes by the bytes and not by the name', async () => {
    await using file = await openWeightsFile(at('array.pth'));
    expect(file.format).toBe('npy');
  });

  it('reads nothing more once it was closed', async () => {
    const file = await openWeightsFile(at('model', 'model.json'));
    await file.close();
    await file.close();
    expect((await rejection(file.get('b'), TfjsFileError)).message).toMatch(/IoError.*closed/);
  });

  it('follows links that lie in the folder, as the caches of model hubs have them', async () => {
    mkdirSync(at('snapshot'));
    symlinkSync(at('model', 'm.onnx'), at('snapshot', 'm.onnx'));
    mkdirSync(at('snapshot', 'weights'));
    symlinkSync(at('model', 'weights', 'b.bin'), at('snapshot', 'weights', 'b.bin'));
    await using file = await openWeightsFile(at('snapshot', 'm.onnx'));
    expect((await file.get('b')).data).toEqual(Float32Array.of(1));
  });

  it('does not leave the folder', async () => {
    expect((await rejection(openWeightsFile(at('model', 'up.json')), TfjsFileError)).code).toBe('UnsafeShardName');
  });

  it('says what is missing', async () => {
    const error = await rejection(openWeightsFile(at('model', 'missing.json')), TfjsFileError);
    expect(error.message).toMatch(/ShardMissing.*"c\.bin".*could not be opened/);
    expect((await rejection(openWeightsFile(at('nothing.pth')), SourceError)).message).toMatch(/Check the path/);
    expect((await rejection(openWeightsFile(folder), SourceError)).code).toBe('IoError');
  });

  it('takes a resolver of its own', async () => {
    const asked: string[] = [];
    const resolve = (name: string) => {
      asked.push(name);
      return one;
    };
    await using file = await openWeightsFile(at('model', 'm.onnx'), { resolve });
    expect(asked).toEqual(['weights/b.bin']);
    expect(file.paths).toHaveLength(1);
    expect((await rejection(file.get('x'), OnnxFileError)).code).toBe('TensorNotFound');
  });
});
