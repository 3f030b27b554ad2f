import { describe, expect, it } from 'vitest';
import { rejection } from '../testing/rejection.ts';
import { modelOf } from '../testing/tfjsBuilder.ts';
import { TfjsFileError, type TfjsFileErrorCode } from './errors.ts';
import { openTfjs } from './openTfjs.ts';

const utf8 = (text: string) => new TextEncoder().encode(text);
const shard = () => new Uint8Array(8);
const bias = { name: 'bias', shape: [2], dtype: 'float32' };
/** A model.json of these groups, as text. */
const manifest = (groups: string) => utf8(`{"weightsManifest":${groups}}`);
/** One of one group of one weight. */
const weight = (description: string) => manifest(`[{"paths":["a.bin"],"weights":[${description}]}]`);

const refusal = (json: Uint8Array, resolve = shard as (name: string) => Uint8Array | undefined) =>
  rejection(openTfjs(json, { resolve }), TfjsFileError);

describe('manifests', () => {
  it('the valid one opens', async () => {
    const file = await openTfjs(weight('{"name":"a","shape":[2],"dtype":"float32"}'), { resolve: shard });
    expect(file.names).toEqual(['a']);
  });

  it.each<[string, TfjsFileErrorCode, Uint8Array]>([
    ['nothing', 'InvalidManifest', utf8('')],
    ['something that is not UTF-8', 'NotTfjs', Uint8Array.of(0x7b, 0xff)],
    ['a page', 'InvalidManifest', utf8('<html>')],
    ['an array', 'InvalidManifest', utf8('[]')],
    ['other JSON', 'NotTfjs', utf8('{"a":1}')],
    ['something behind it', 'InvalidManifest', utf8('{"weightsManifest":[]} x')],
    ['a manifest twice', 'InvalidManifest', utf8('{"weightsManifest":[],"weightsManifest":[]}')],
    ['a manifest that is an object', 'InvalidManifest', manifest('{}')],
    ['a manifest that is null', 'InvalidManifest', manifest('null')],
    ['deep nesting', 'InvalidManifest', utf8(`{"modelTopology":${'['.repeat(100_000)}`)],
    ['no paths', 'InvalidManifest', manifest('[{"weights":[]}]')],
    ['no weights', 'InvalidManifest', manifest('[{"paths":[]}]')],
    ['a path that is a number', 'InvalidManifest', manifest('[{"paths":[1],"weights":[]}]')],
    ['a shard twice', 'InvalidManifest', manifest('[{"paths":["a","a"],"weights":[]}]')],
    [
      'a hundred thousand shards',
      'InvalidManifest',
      manifest(`[{"paths":[${Array.from({ length: 1e5 }, (_, i) => `"${i}"`)}],"weights":[]}]`),
    ],
    ['a weight without a name', 'InvalidManifest', weight('{"shape":[2],"dtype":"float32"}')],
    ['a weight without a shape', 'InvalidManifest', weight('{"name":"a","dtype":"float32"}')],
    ['a weight without a dtype', 'InvalidManifest', weight('{"name":"a","shape":[2]}')],
    ['a shape of null', 'InvalidManifest', weight('{"name":"a","shape":null,"dtype":"float32"}')],
    ['an unknown size', 'InvalidManifest', weight('{"name":"a","shape":[null],"dtype":"float32"}')],
    ['a negative size', 'InvalidManifest', weight('{"name":"a","shape":[-1],"dtype":"float32"}')],
    ['a fraction', 'InvalidManifest', weight('{"name":"a","shape":[2.0],"dtype":"float32"}')],
    ['an exponent', 'InvalidManifest', weight('{"name":"a","shape":[2e0],"dtype":"float32"}')],
    ['a size above 2^53', 'InvalidManifest', weight('{"name":"a","shape":[9007199254740993],"dtype":"float32"}')],
    ['a product above 2^53', 'InvalidManifest', weight('{"name":"a","shape":[94906267,94906267],"dtype":"bool"}')],
    ['bytes above 2^53', 'InvalidManifest', weight('{"name":"a","shape":[94906265,94906265],"dtype":"int32"}')],
    ['65 axes', 'InvalidManifest', weight(`{"name":"a","shape":[${'1,'.repeat(64)}1],"dtype":"float32"}`)],
    [
      'a weight twice',
      'InvalidManifest',
      weight('{"name":"a","shape":[1],"dtype":"int32"},{"name":"a","shape":[1],"dtype":"int32"}'),
    ],
    ['strings', 'UnsupportedDtype', weight('{"name":"a","shape":[2],"dtype":"string"}')],
    ['an unknown dtype', 'InvalidManifest', weight('{"name":"a","shape":[2],"dtype":"float8"}')],
    ['a dtype of an object', 'InvalidManifest', weight('{"name":"a","shape":[2],"dtype":"constructor"}')],
    [
      'a quantisation that is null',
      'InvalidManifest',
      weight('{"name":"a","shape":[8],"dtype":"float32","quantization":null}'),
    ],
    [
      'a quantisation without a dtype',
      'InvalidManifest',
      weight('{"name":"a","shape":[8],"dtype":"float32","quantization":{}}'),
    ],
    [
      'a quantisation without a min',
      'InvalidManifest',
      weight('{"name":"a","shape":[8],"dtype":"float32","quantization":{"dtype":"uint8","scale":1}}'),
    ],
    [
      'a scale that is text',
      'InvalidManifest',
      weight('{"name":"a","shape":[8],"dtype":"float32","quantization":{"dtype":"uint8","scale":"1","min":0}}'),
    ],
    [
      'a scale that is infinite',
      'InvalidManifest',
      weight('{"name":"a","shape":[8],"dtype":"float32","quantization":{"dtype":"uint8","scale":1e999,"min":0}}'),
    ],
    [
      'a quantisation to int8',
      'InvalidManifest',
      weight('{"name":"a","shape":[8],"dtype":"float32","quantization":{"dtype":"int8","scale":1,"min":0}}'),
    ],
    [
      'float16 for int32',
      'InvalidManifest',
      weight('{"name":"a","shape":[4],"dtype":"int32","quantization":{"dtype":"float16"}}'),
    ],
    [
      'a quantised truth value',
      'InvalidManifest',
      weight('{"name":"a","shape":[8],"dtype":"bool","quantization":{"dtype":"uint8","scale":1,"min":0}}'),
    ],
    ['a shard that is too short', 'InvalidSize', weight('{"name":"a","shape":[3],"dtype":"float32"}')],
    ['a shard that is too long', 'InvalidSize', weight('{"name":"a","shape":[1],"dtype":"float32"}')],
    [
      'weights without a shard',
      'InvalidSize',
      manifest('[{"paths":[],"weights":[{"name":"a","shape":[2],"dtype":"bool"}]}]'),
    ],
    ['a shard without weights', 'InvalidSize', weight('')],
  ])('with %s: %s', async (_, code, json) => {
    const error = await refusal(json);
    expect(error.code, error.message).toBe(code);
  });

  it('__proto__ is a name like any other', async () => {
    const file = await openTfjs(weight('{"name":"__proto__","shape":[2],"dtype":"float32"}'), { resolve: shard });
    expect(file.names).toEqual(['__proto__']);
    expect((await file.get('__proto__')).shape).toEqual([2]);
  });
});

describe('shards', () => {
  it.each([
    '../a.bin',
    '..',
    'sub/../../a.bin',
    './a.bin',
    'sub//a.bin',
    'sub/',
    '/etc/passwd',
    '//host.example/a.bin',
    '..\\a.bin',
    'sub\\a.bin',
    'C:\\a.bin',
    'C:a.bin',
    'file:///etc/passwd',
    'https://host.example/a.bin',
    'data:,x',
    'blob:x',
    '%2e%2e%2fa.bin',
    'a.bin?x=1',
    'a.bin#x',
    'a\0.bin',
    'a.bin\n',
    'a\u202e.bin',
    'a\u2215b.bin',
    '\uff0e\uff0e/a.bin',
    '.hidden',
    '-rf',
    '~root/a.bin',
    'a.bin.',
    'a.bin ',
    'sub./a.bin',
    '',
    'CON',
    'nul.bin',
    'sub/com1.bin',
    'a/b/c/d/e/f/g/h/i.bin',
    'a'.repeat(256),
  ])('the name %j is refused, and nobody is asked for it', async (name) => {
    const { json } = modelOf([{ weights: [bias], shards: { [name]: shard() } }]);
    const asked: string[] = [];
    const error = await refusal(json, (shardName) => {
      asked.push(shardName);
      return shard();
    });
    expect(error.code).toBe('UnsafeShardName');
    expect(error.message).toMatch(/plain name.*who wrote it/);
    expect(asked).toEqual([]);
  });

  it.each(['group1-shard1of1.bin', 'weights/group1-shard1of2', 'poids é (1).bin', 'a..b.bin', 'x'])(
    'the name %j is looked up',
    async (name) => {
      const { json, resolve } = modelOf([{ weights: [bias], shards: { [name]: shard() } }]);
      expect((await openTfjs(json, { resolve })).names).toEqual(['bias']);
    },
  );

  it('that are not found, cannot be opened, or for which there is no resolver', async () => {
    const { json } = modelOf([{ weights: [bias], shards: { 'a.bin': shard() } }]);
    expect((await rejection(openTfjs(json), TfjsFileError)).message).toMatch(/ShardMissing.*"a\.bin".*resolve/);
    expect((await refusal(json, () => undefined)).message).toMatch(/ShardMissing.*"a\.bin"/);
    const failing = () => {
      throw new Error('EACCES');
    };
    expect((await refusal(json, failing)).message).toMatch(/ShardMissing.*EACCES/);
    expect((await refusal(json, () => 'text' as never)).code).toBe('InvalidArgument');
  });

  it('an abort goes through', async () => {
    const { json } = modelOf([{ weights: [bias], shards: { 'a.bin': shard() } }]);
    const resolve = () => Promise.reject(new DOMException('enough', 'AbortError'));
    await expect(openTfjs(json, { resolve })).rejects.toThrow(DOMException);
  });

  it('that fail while a weight is read', async () => {
    const { json } = modelOf([{ weights: [bias], shards: { 'a.bin': shard() } }]);
    const resolve = () => ({ size: 8, read: () => Promise.reject(new Error('cable cut')) });
    const file = await openTfjs(json, { resolve });
    expect((await rejection(file.get('bias'), TfjsFileError)).message).toMatch(/IoError.*cable cut/);
  });
});

it('other arguments', async () => {
  expect((await rejection(openTfjs('model.json' as never), TfjsFileError)).code).toBe('InvalidArgument');
  const huge = { size: 200_000_000, read: () => Promise.reject(new Error('not to be read')) };
  expect((await rejection(openTfjs(huge), TfjsFileError)).code).toBe('TooLarge');
});
