import { describe, expect, it } from 'vitest';
import { errorOf } from '../testing/bytes.ts';
import { parseSafetensorsIndex } from './shardIndex.ts';

describe('parseSafetensorsIndex', () => {
  it('reads an index as transformers writes it', () => {
    const index = parseSafetensorsIndex(`{
  "metadata": { "total_size": 13476835328, "note": [1.5e3, -2, null, true, {"a": "\\u00e4"}] },
  "weight_map": {
    "lm_head.weight": "model-00002-of-00002.safetensors",
    "__proto__": "model-00001-of-00002.safetensors",
    "norm.weight": "model-00002-of-00002.safetensors"
  },
  "other": {}
}
`);
    expect([...index.weightMap]).toEqual([
      ['lm_head.weight', 'model-00002-of-00002.safetensors'],
      ['__proto__', 'model-00001-of-00002.safetensors'],
      ['norm.weight', 'model-00002-of-00002.safetensors'],
    ]);
    expect(index.shards).toEqual(['model-00002-of-00002.safetensors', 'model-00001-of-00002.safetensors']);
    expect(index.totalSize).toBe(13476835328);
  });

  it('does without metadata', () => {
    expect(parseSafetensorsIndex('{"weight_map":{}}')).toEqual({
      weightMap: new Map(),
      shards: [],
      totalSize: undefined,
    });
  });

  it.each(['model.safetensors', 'modèle (1).safetensors', 'a..b.safetensors', '重み-1+2_=~@,[3].safetensors'])(
    'accepts the name %s',
    (name) => {
      expect(parseSafetensorsIndex(JSON.stringify({ weight_map: { a: name } })).shards).toEqual([name]);
    },
  );

  it.each([
    '',
    '.safetensors',
    '..',
    '../model.safetensors',
    'sub/model.safetensors',
    'sub/../../model.safetensors',
    './model.safetensors',
    '/etc/model.safetensors',
    '//host/model.safetensors',
    '..\\model.safetensors',
    'sub\\model.safetensors',
    '\\\\host\\share\\model.safetensors',
    'C:\\model.safetensors',
    'C:model.safetensors',
    'file:model.safetensors',
    'https://example.org/model.safetensors',
    'model.safetensors:stream.safetensors',
    '%2e%2e%2fmodel.safetensors',
    'model.safetensors?x=.safetensors',
    'model#.safetensors',
    'a\0.safetensors',
    'model.safetensors\0',
    'model.safetensors\n',
    'a\u202e.safetensors',
    'a\u2215b.safetensors',
    'a\uff0fb.safetensors',
    ' model.safetensors',
    '-model.safetensors',
    '~root.safetensors',
    'model.safetensors ',
    'model.safetensors.',
    'model.bin',
    'pytorch_model.bin',
    'CON.safetensors',
    'nul.safetensors',
    'com1.x.safetensors',
    `${'a'.repeat(256)}.safetensors`,
  ])('refuses the name %j', (name) => {
    const error = errorOf(() => parseSafetensorsIndex(JSON.stringify({ weight_map: { a: name } })));
    expect(error.code).toBe('InvalidIndex');
    expect(error.message).toContain('plain name');
  });

  it.each([
    ['not JSON', 'weights'],
    ['empty', ''],
    ['array', '[]'],
    ['no weight_map', '{"metadata":{}}'],
    ['weight_map an array', '{"weight_map":[]}'],
    ['file name not a string', '{"weight_map":{"a":1}}'],
    ['duplicate tensor', '{"weight_map":{"a":"x.safetensors","a":"y.safetensors"}}'],
    ['duplicate weight_map', '{"weight_map":{},"weight_map":{}}'],
    ['text after the end', '{"weight_map":{}} x'],
    ['total_size a string', '{"metadata":{"total_size":"12"},"weight_map":{}}'],
    ['total_size negative', '{"metadata":{"total_size":-1},"weight_map":{}}'],
    ['unclosed', '{"weight_map":{}'],
    ['bad word', '{"metadata":{"a":nul},"weight_map":{}}'],
    ['bad number', '{"metadata":{"a":1.},"weight_map":{}}'],
    ['bad exponent', '{"metadata":{"a":1e},"weight_map":{}}'],
    ['duplicate key in a part that is passed over', '{"metadata":{"a":{"b":1,"b":2}},"weight_map":{}}'],
    ['deep nesting', `{"metadata":${'{"a":'.repeat(100_000)}`],
    ['deep arrays', `{"other":${'['.repeat(100_000)}`],
  ])('refuses an index that is wrong: %s', (_, json) => {
    expect(errorOf(() => parseSafetensorsIndex(json)).code).toBe('InvalidIndex');
  });

  it('refuses what is not text', () => {
    expect(errorOf(() => parseSafetensorsIndex({ weight_map: {} } as never)).code).toBe('InvalidArgument');
  });
});
