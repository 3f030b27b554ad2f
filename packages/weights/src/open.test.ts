import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { WeightsFormatError, type WeightsFormatErrorCode } from './open/errors.ts';
import { openWeights } from './open.ts';
import { SafetensorsError, TensorNotFoundError } from './safetensors/errors.ts';
import { serializeSafetensors } from './safetensors/serialize.ts';
import { shardsBeside } from './shards/resolve.ts';
import { SourceError } from './source/errors.ts';
import { fileOf, latin1 } from './testing/bytes.ts';
import { fixtureBytes } from './testing/expectations.ts';
import { rejection } from './testing/rejection.ts';
import { modelOf } from './testing/tfjsBuilder.ts';
import { zipOf } from './testing/zipBuilder.ts';
import { TfjsFileError } from './tfjs/errors.ts';
import { TorchFileError } from './torch/errors.ts';
import { WeightsError } from './weightsError.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const bias = (...values: number[]) => ({
  dtype: 'float32' as const,
  shape: [values.length],
  data: Float32Array.from(values),
});

describe('formats are told from the bytes', () => {
  it.each([
    ['safetensors', 'upstream_types.safetensors'],
    ['safetensors', 'structsa_operator.safetensors'],
    ['torch', 'torch/dtypes.pth'],
    ['torch', 'torch/dtypes.legacy.pth'],
    ['torch', 'torch/container_model_ema.pth'],
    ['npy', 'numpy/version_2.npy'],
    ['npz', 'numpy/stored.npz'],
    ['npz', 'numpy/deflated.npz'],
    ['npz', 'numpy/streamed.npz'],
    ['onnx', 'onnx/raw.onnx'],
    ['onnx', 'onnx/fields.onnx'],
  ] as const)('%s: %s', async (format, name) => {
    const bytes = fixtureBytes(name);
    for (const source of [bytes, new Blob([bytes])]) {
      const file = await openWeights(source);
      expect(file.format).toBe(format);
      expect(file.names.length).toBeGreaterThan(0);
      const [first] = file.names;
      expect((await file.bytes(first!)).byteLength).toBe(file.info(first!).byteLength);
    }
  });

  it('safetensors with white space in front, and empty', async () => {
    for (const header of ['{}', `${' '.repeat(600)}{}`, '\n\t {}  ']) {
      expect((await openWeights(fileOf(header))).format).toBe('safetensors');
    }
  });

  it('tfjs, also after a byte order mark and white space', async () => {
    const { json, resolve } = modelOf([
      { weights: [{ name: 'b', shape: [1], dtype: 'float32' }], shards: { 'b.bin': Uint8Array.of(0, 0, 128, 63) } },
    ]);
    for (const text of [json, utf8(`\ufeff\n ${new TextDecoder().decode(json)}`)]) {
      const file = await openWeights(text, { resolve });
      expect(file.format).toBe('tfjs');
      expect((await file.get('b')).data).toEqual(Float32Array.of(1));
    }
  });

  it('the options for checkpoints of PyTorch are handed on', async () => {
    const bytes = fixtureBytes('torch/container_model_ema.pth');
    const error = await rejection(openWeights(bytes, { torch: { key: 'nothing' } }), TorchFileError);
    expect(error.code).toBe('NoStateDict');
  });

  it.each<[string, RegExp, Uint8Array]>([
    [
      'safetensors that are cut short',
      /SafetensorsError: InvalidHeaderLength/,
      fixtureBytes('upstream_types.safetensors').slice(0, 500),
    ],
    ['safetensors with a header that lies', /SafetensorsError: /, fileOf('{"a":1}')],
    ['TorchScript', /TorchFileError: TorchScript.*state_dict/s, fixtureBytes('torch/torchscript.pt')],
    ['a whole module', /TorchFileError: RefusedGlobal/, fixtureBytes('torch/whole_module.pth')],
    ['an array of objects', /NumpyFileError: UnsupportedDtype/, fixtureBytes('numpy/refused_objects.npy')],
    ['ONNX that is cut short', /OnnxFileError: InvalidProtobuf/, fixtureBytes('onnx/raw.onnx').slice(0, 500)],
    [
      'a model without a resolver',
      /TfjsFileError: ShardMissing/,
      modelOf([{ weights: [], shards: { a: latin1('') } }]).json,
    ],
  ])('the reader of the format refuses %s', async (_, message, bytes) => {
    const error = await rejection(openWeights(bytes), WeightsError);
    expect(`${error.name}: ${error.message}`).toMatch(message);
  });
});

describe('other files', () => {
  const tar = new Uint8Array(1024);
  tar.set(latin1('ustar'), 257);
  const pickle = fixtureBytes('torch/plain_pickle.pkl');
  const npz = fixtureBytes('numpy/stored.npz');

  it.each<[string, WeightsFormatErrorCode, RegExp, Uint8Array]>([
    ['nothing', 'Empty', /empty/, latin1('')],
    ['a web page', 'WebPage', /web page.*DOCTYPE/, utf8('<!DOCTYPE html><html><body>Sign in</body></html>')],
    ['a web page after white space', 'WebPage', /link of the file/, utf8('\ufeff\n\n<html>')],
    [
      'the answer of a store',
      'WebPage',
      /AccessDenied/,
      utf8('<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'),
    ],
    [
      'a pointer of Git LFS',
      'GitLfsPointer',
      /git lfs pull/,
      utf8('version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'),
    ],
    ['gzip', 'Compressed', /gunzip/, latin1('\x1f\x8b\x08\0')],
    ['zstd', 'Compressed', /unzstd/, latin1('\x28\xb5\x2f\xfd')],
    ['tar', 'Compressed', /tar -xf.*PyTorch/, tar],
    ['a zip of something else', 'Compressed', /"readme\.txt".*Unpack/, zipOf([{ name: 'readme.txt' }])],
    ['an empty zip', 'Compressed', /0 files/, zipOf([])],
    [
      'Keras 3',
      'OtherFormat',
      /Keras.*tensorflowjs_converter/,
      zipOf([{ name: 'config.json' }, { name: 'model.weights.h5' }]),
    ],
    ['HDF5', 'OtherFormat', /HDF5/, latin1('\x89HDF\r\n\x1a\n')],
    ['GGUF', 'OtherFormat', /GGUF/, latin1('GGUF\x03\0\0\0')],
    ['TensorFlow Lite', 'OtherFormat', /Lite/, latin1('\x1c\0\0\0TFL3')],
    ['a pickle', 'OtherFormat', /pickle that torch\.save did not write/, pickle],
    ['a zip that is cut short', 'DamagedArchive', /cut short/, npz.slice(0, -10)],
    [
      'a zip with something in front of it',
      'DamagedArchive',
      /hides/,
      zipOf([{ name: 'a.npy' }], { prefix: latin1('PK\x03\x04') }),
    ],
    ['an error of a server', 'Text', /"error".*weightsManifest/, utf8('{"error":"Repository not found"}')],
    ['damaged JSON', 'Text', /damaged or cut short/, utf8('{"weight_map": {"a"')],
    ['text', 'Text', /"Entry not found"/, utf8('Entry not found')],
    ['text of many bytes', 'Text', /text and no weights/, utf8('ü'.repeat(300) + '→'.repeat(300))],
    ['an array in JSON', 'Text', /text and no weights/, utf8('[1, 2]')],
    [
      'an index of pickles',
      'OtherFormat',
      /openTorch/,
      utf8('{"weight_map": {"a": "pytorch_model-00001-of-00002.bin"}}'),
    ],
    ['noise', 'UnknownFormat', /07 07 07 07.*safetensors/, latin1('\x07\x07\x07\x07')],
    ['a protobuf of something else', 'UnknownFormat', /0a 03/, latin1('\x0a\x03abc\x12\x00')],
    ['deflated bytes', 'UnknownFormat', /begins with/, new Uint8Array(deflateRawSync(new Uint8Array(100).fill(7)))],
  ])('%s: %s', async (_, code, message, bytes) => {
    const error = await rejection(openWeights(bytes), WeightsFormatError);
    expect(error.code, error.message).toBe(code);
    expect(error.message).toMatch(message);
  });

  it('are not taken for memory', async () => {
    expect((await rejection(openWeights('model.pth' as never), WeightsFormatError)).code).toBe('InvalidArgument');
    const failing = { size: 1000, read: () => Promise.reject(new Error('disk on fire')) };
    expect((await rejection(openWeights(failing), WeightsFormatError)).message).toMatch(/IoError.*disk on fire/);
    const aborted = { size: 1000, read: () => Promise.reject(new DOMException('enough', 'AbortError')) };
    await expect(openWeights(aborted)).rejects.toThrow(DOMException);
  });
});

describe('safetensors in several files', () => {
  const shards: Record<string, Uint8Array> = {
    'm-1.safetensors': serializeSafetensors({ a: bias(1, 2), b: bias(3) }, { format: 'pt', part: '1' }),
    'm-2.safetensors': serializeSafetensors({ c: bias(4) }, { format: 'pt', part: '2', more: 'x' }),
  };
  const weight_map: Record<string, string> = { c: 'm-2.safetensors', a: 'm-1.safetensors', b: 'm-1.safetensors' };
  const index = (map: object) => utf8(JSON.stringify({ metadata: { total_size: 16 }, weight_map: map }));
  const resolve = (name: string) => shards[name];

  it('open as one', async () => {
    const file = await openWeights(index(weight_map), { resolve });
    expect([file.format, file.names]).toEqual(['safetensors', ['c', 'a', 'b']]);
    expect(Object.fromEntries(file.metadata)).toEqual({ format: 'pt', part: '2', more: 'x' });
    expect(file.info('a')).toEqual({ dtype: 'float32', shape: [2], byteLength: 8 });
    expect(await file.toStateDict()).toEqual(
      new Map([
        ['c', bias(4)],
        ['a', bias(1, 2)],
        ['b', bias(3)],
      ]),
    );
    expect((await rejection(file.get('x'), TensorNotFoundError)).tensorName).toBe('x');
  });

  it.each<[string, RegExp, object, Record<string, Uint8Array | undefined>]>([
    ['a file that is missing', /IoError.*"m-3\.safetensors".*not found/, { ...weight_map, d: 'm-3.safetensors' }, {}],
    ['a tensor that is missing', /InvalidIndex.*"d" is not in "m-1/, { ...weight_map, d: 'm-1.safetensors' }, {}],
    ['a tensor in the wrong file', /InvalidIndex.*"b" is in "m-1/, { ...weight_map, b: 'm-2.safetensors' }, {}],
    ['a tensor that it does not name', /InvalidIndex.*"b" is in "m-1/, { a: 'm-1.safetensors' }, {}],
    ['a path upwards', /InvalidIndex.*plain name/, { a: '../m-1.safetensors' }, {}],
    [
      'a damaged file',
      /"m-1\.safetensors": the header claims/,
      weight_map,
      { 'm-1.safetensors': shards['m-1.safetensors']!.slice(0, 40) },
    ],
  ])('with %s are refused', async (_, message, map, changed) => {
    const all = { ...shards, ...changed };
    const error = await rejection(openWeights(index(map), { resolve: (name) => all[name] }), SafetensorsError);
    expect(error.message).toMatch(message);
  });
});

describe('shardsBeside', () => {
  const data = Uint8Array.of(0, 0, 128, 63);

  /** Answers any request with `data`, and notes the URL. */
  const server = () => {
    const urls: string[] = [];
    const headers: (string | null)[] = [];
    const fetch = async (url: string, init: RequestInit) => {
      urls.push(url);
      headers.push(new Headers(init.headers).get('authorization'));
      return new Response(data, { status: 206, headers: { 'content-range': 'bytes 0-3/4', 'content-length': '4' } });
    };
    return { urls, headers, fetch };
  };

  it.each([
    ['group1-shard1of1.bin', 'https://host.example/models/group1-shard1of1.bin'],
    ['sub/poids é (1).bin', 'https://host.example/models/sub/poids%20%C3%A9%20(1).bin'],
  ])('asks for %j beside the model', async (name, url) => {
    const { urls, headers, fetch } = server();
    const { json } = modelOf([{ weights: [{ name: 'b', shape: [1], dtype: 'float32' }], shards: { [name]: data } }]);
    const resolve = shardsBeside('https://host.example/models/model.json?token=1', {
      fetch,
      headers: { authorization: 'Bearer x' },
    });
    const file = await openWeights(json, { resolve });
    expect((await file.get('b')).data).toEqual(Float32Array.of(1));
    expect([urls[0], headers[0]]).toEqual([url, 'Bearer x']);
  });

  it('never asks for another origin or a folder above', async () => {
    const { urls, fetch } = server();
    const resolve = shardsBeside('https://host.example/models/model.json', { fetch });
    for (const name of [
      '../b.bin',
      '//other.example/b.bin',
      'https://other.example/b.bin',
      '..\\b.bin',
      '/b.bin',
      '%2e%2e/b.bin',
    ]) {
      const { json } = modelOf([{ weights: [{ name: 'b', shape: [1], dtype: 'float32' }], shards: { [name]: data } }]);
      expect((await rejection(openWeights(json, { resolve }), TfjsFileError)).code).toBe('UnsafeShardName');
    }
    expect(urls).toEqual([]);
  });

  it('wants a URL', () => {
    expect(() => shardsBeside('model.json')).toThrow(SourceError);
  });
});
