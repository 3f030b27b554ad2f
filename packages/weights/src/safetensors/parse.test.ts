import { describe, expect, it } from 'vitest';
import { errorOf, fileOf, fixture, latin1 } from '../testing/bytes.ts';
import { TensorNotFoundError } from './errors.ts';
import { parseSafetensors } from './parse.ts';

describe('files that must open', () => {
  it('the example of the reference documentation', () => {
    const file = parseSafetensors(
      latin1(`<\0\0\0\0\0\0\0{"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}${'\0'.repeat(16)}`),
    );
    expect(file.names).toEqual(['test']);
    expect(file.get('test')).toEqual({ dtype: 'int32', shape: [2, 2], data: new Int32Array(4) });
  });

  it('no tensors at all', () => {
    expect(parseSafetensors(fileOf('{}')).names).toEqual([]);
  });

  it('a scalar: shape []', () => {
    const file = parseSafetensors(
      latin1('8\0\0\0\0\0\0\0{"test":{"dtype":"I32","shape":[],"data_offsets":[0,4]}}\x07\0\0\0'),
    );
    expect(file.get('test')).toEqual({ dtype: 'int32', shape: [], data: Int32Array.of(7) });
  });

  it('a tensor of size zero: shape [2,0]', () => {
    const file = parseSafetensors(
      latin1('<\0\0\0\0\0\0\0{"test":{"dtype":"I32","shape":[2,0],"data_offsets":[0, 0]}}'),
    );
    expect(file.get('test')).toEqual({ dtype: 'int32', shape: [2, 0], data: new Int32Array(0) });
  });

  it('several tensors of size zero in one place', () => {
    const empty = { dtype: 'F32', shape: [0], data_offsets: [1, 1] };
    const file = parseSafetensors(
      fileOf({ a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] }, b: empty, c: empty }, 1),
    );
    expect(file.names).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['after', '\x06\0\0\0\0\0\0\0{}\x0d\x20\x09\x0a'],
    ['before', '\x06\0\0\0\0\0\0\0\x09\x0a\x0d\x20{}'],
    ['before, after and inside', '\x08\0\0\0\0\0\0\0\x09\x0a{ \x0d}\x20\x0a'],
  ])('white space %s the JSON', (_, bytes) => {
    expect(parseSafetensors(latin1(bytes)).names).toEqual([]);
  });

  it('white space between all tokens', () => {
    const header = ' {\n"a" : { "shape" : [ 1 , 1 ] ,\t"data_offsets":[ 0 , 1 ],\r"dtype" : "U8" } } ';
    expect(parseSafetensors(fileOf(header, 1)).get('a').shape).toEqual([1, 1]);
  });

  it('names that are special in JavaScript', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', '0', 'a.b', '\u0000', '😀'];
    const members = names.map(
      (name, i) => `${JSON.stringify(name)}:{"dtype":"U8","shape":[],"data_offsets":[${i},${i + 1}]}`,
    );
    const file = parseSafetensors(
      fileOf(
        `{${members.join()}}`,
        Uint8Array.from(names, (_, i) => i),
      ),
    );
    expect(file.names).toEqual(names);
    for (const [i, name] of names.entries()) expect(file.get(name).data[0]).toBe(i);
    expect([...file.toStateDict().keys()]).toEqual(names);
  });

  it('metadata, in its order, under any key', () => {
    const file = parseSafetensors(fileOf('{"__metadata__":{"z":"1","__proto__":"2","a":"\\u00e4\\n"}}'));
    expect([...file.metadata]).toEqual([
      ['z', '1'],
      ['__proto__', '2'],
      ['a', 'ä\n'],
    ]);
  });

  it('tensors that the header lists in another order than the data', () => {
    const file = parseSafetensors(
      fileOf(
        { b: { dtype: 'U8', shape: [2], data_offsets: [1, 3] }, a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] } },
        Uint8Array.of(1, 2, 3),
      ),
    );
    expect(file.names).toEqual(['a', 'b']);
    expect(file.get('b').data).toEqual(Uint8Array.of(2, 3));
  });
});

describe('a file of every type, written by the reference library', () => {
  const file = parseSafetensors(fixture('upstream_types.safetensors'));

  it.each([
    ['int64', [2], BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)],
    ['uint64', [2], BigUint64Array.of(0n, 2n ** 64n - 1n)],
    ['float64', [2, 1], Float64Array.of(-0.1, 5e-324)],
    ['int32', [1, 2], Int32Array.of(-(2 ** 31), 2 ** 31 - 1)],
    ['uint32', [2], Uint32Array.of(0, 2 ** 32 - 1)],
    ['float32', [], Float32Array.of(0.1)],
    ['int16', [2], Int16Array.of(-(2 ** 15), 2 ** 15 - 1)],
    ['uint16', [2], Uint16Array.of(0, 2 ** 16 - 1)],
    ['int8', [2], Int8Array.of(-128, 127)],
    ['uint8', [3], Uint8Array.of(0, 1, 255)],
    ['bool', [3], Uint8Array.of(1, 0, 1)],
  ])('%s', (dtype, shape, data) => {
    expect(file.get(dtype)).toEqual({ dtype, shape, data });
  });

  it.each([
    'float8_e5m2',
    'float8_e4m3fn',
    'float8_e8m0fnu',
    'float8_e4m3fnuz',
    'float8_e5m2fnuz',
    'float16',
    'bfloat16',
  ])('%s, against the conversion of ml_dtypes', (dtype) => {
    const tensor = file.get(dtype);
    expect(tensor.dtype).toBe(dtype);
    const { data: expected } = file.get(`expect.${dtype}`);
    expect(tensor.data).toHaveLength(expected.length);
    // Object.is tells -0 from 0 and takes NaN for NaN.
    const differing = [...expected.keys()].filter((i) => !Object.is(tensor.data[i], expected[i]));
    expect(differing).toEqual([]);
  });

  it('names with escapes and beyond U+FFFF', () => {
    expect(file.get('quote" back\\slash tab\t').data).toEqual(Float32Array.of(1));
    expect(file.get('\uff5e').data).toEqual(Float32Array.of(2));
    expect(file.get('\u{1f600}').data).toEqual(Float32Array.of(3));
  });

  it('types without an array: listed, raw bytes given, `get` refused', () => {
    const opaque = parseSafetensors(fixture('upstream_opaque.safetensors'));
    expect(opaque.info('complex')).toMatchObject({ dtype: 'complex64', shape: [1], byteLength: 8 });
    expect(opaque.info('float4')).toMatchObject({ dtype: 'float4_e2m1fn', shape: [2], byteLength: 1 });
    expect(opaque.bytes('float4')).toEqual(Uint8Array.of(7));
    expect(errorOf(() => opaque.get('float4')).code).toBe('UnsupportedDtype');
    expect(errorOf(() => opaque.toStateDict()).code).toBe('UnsupportedDtype');
  });
});

describe('views', () => {
  const bytes = fileOf(
    { a: { dtype: 'U8', shape: [1], data_offsets: [0, 1] }, b: { dtype: 'F32', shape: [2], data_offsets: [1, 9] } },
    Uint8Array.of(9, 0, 0, 128, 63, 0, 0, 0, 64),
  );

  it('copies only what is misaligned, whatever the alignment of the file itself', () => {
    for (let shift = 0; shift < 8; shift++) {
      const shifted = new Uint8Array(bytes.length + 8).subarray(shift, shift + bytes.length);
      shifted.set(bytes);
      const file = parseSafetensors(shifted);
      const { data } = file.get('b');
      expect(data).toEqual(Float32Array.of(1, 2));
      const aligned = (shift + file.info('b').byteOffset) % 4 === 0;
      expect(data.buffer === shifted.buffer).toBe(aligned);
      expect(file.get('a').data.buffer).toBe(shifted.buffer);
    }
  });

  it('reads a Buffer that lies inside a larger one, an ArrayBuffer and shared memory alike', () => {
    const buffer = Buffer.concat([Buffer.from('before'), bytes, Buffer.from('after')]).subarray(6, 6 + bytes.length);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    for (const same of [buffer, bytes.buffer as ArrayBuffer, shared]) {
      expect(parseSafetensors(same).get('b').data).toEqual(Float32Array.of(1, 2));
    }
  });

  it('notices a buffer that was transferred after parsing', () => {
    const own = bytes.slice();
    const file = parseSafetensors(own);
    structuredClone(own.buffer, { transfer: [own.buffer] });
    expect(errorOf(() => file.get('b')).code).toBe('IoError');
    expect(errorOf(() => file.bytes('a')).code).toBe('IoError');
  });

  it('states where a tensor lies', () => {
    const file = parseSafetensors(bytes);
    const { byteOffset, byteLength } = file.info('b');
    expect(bytes.slice(byteOffset, byteOffset + byteLength)).toEqual(file.bytes('b'));
    expect(file.has('b')).toBe(true);
    expect(file.has('c')).toBe(false);
  });
});

describe('a missing tensor', () => {
  const names = ['head.weight', 'head.bias', 'blocks1.0.norm1.weight', 'module.patch_embed1.proj.weight'];
  const members = names.map((name, i) => [name, { dtype: 'U8', shape: [], data_offsets: [i, i + 1] }]);
  const file = parseSafetensors(fileOf(Object.fromEntries(members), names.length));

  it.each([
    ['head.wieght', 'head.weight'],
    ['patch_embed1.proj.weight', 'module.patch_embed1.proj.weight'],
    ['BLOCKS1.0.norm1.weight', 'blocks1.0.norm1.weight'],
  ])('%s: suggests %s', (wanted, suggested) => {
    const error = errorOf(() => file.get(wanted));
    expect(error).toBeInstanceOf(TensorNotFoundError);
    expect((error as TensorNotFoundError).nearNames[0]).toBe(suggested);
    expect(error.message).toContain(`Did you mean "${suggested}"`);
  });

  it('suggests nothing where nothing is near', () => {
    const error = errorOf(() => file.info('zzz'));
    expect((error as TensorNotFoundError).nearNames).toEqual([]);
    expect(error.message).toContain('`names`');
  });
});
