import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StateTensor } from '../stateTensor.ts';
import { errorOf, fixture } from '../testing/bytes.ts';
import type { SafetensorsErrorCode } from './errors.ts';
import { parseSafetensors } from './parse.ts';
import { serializeSafetensors } from './serialize.ts';

const SIX = Float32Array.of(0, 1, 2, 3, 4, 5);
const SIX_BYTES = [0, 0, 0, 0, 0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64, 0, 0, 128, 64, 0, 0, 160, 64];

const ascii = (text: string) => [...new TextEncoder().encode(text)];

describe('bytes of the reference writer', () => {
  it('a tensor whose header needs no padding', () => {
    const file = serializeSafetensors({ 'attn.0': { dtype: 'float32', shape: [1, 2, 3], data: SIX } });
    const header = '{"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}}';
    expect([...file]).toEqual([64, 0, 0, 0, 0, 0, 0, 0, ...ascii(header), ...SIX_BYTES]);
  });

  it('a tensor whose header is padded', () => {
    const file = serializeSafetensors({ attn0: { dtype: 'float32', shape: [1, 1, 2, 3], data: SIX } });
    const header = '{"attn0":{"dtype":"F32","shape":[1,1,2,3],"data_offsets":[0,24]}}       ';
    expect([...file]).toEqual([72, 0, 0, 0, 0, 0, 0, 0, ...ascii(header), ...SIX_BYTES]);
  });

  it('no tensors, without and with metadata', () => {
    expect([...serializeSafetensors({})]).toEqual([8, 0, 0, 0, 0, 0, 0, 0, ...ascii('{}      ')]);
    expect([...serializeSafetensors(new Map(), { framework: 'pt' })]).toEqual([
      40,
      ...[0, 0, 0, 0, 0, 0, 0],
      ...ascii('{"__metadata__":{"framework":"pt"}}     '),
    ]);
  });

  it('a file of every type, read and written again', () => {
    const bytes = fixture('upstream_types.safetensors');
    const file = parseSafetensors(bytes);
    expect(Buffer.compare(serializeSafetensors(file.toStateDict(), file.metadata), bytes)).toBe(0);
  });
});

const DTYPES = {
  float64: fc.float64Array(),
  float32: fc.float32Array(),
  int64: fc.bigInt64Array(),
  uint64: fc.bigUint64Array(),
  int32: fc.int32Array(),
  uint32: fc.uint32Array(),
  int16: fc.int16Array(),
  uint16: fc.uint16Array(),
  int8: fc.int8Array(),
  uint8: fc.uint8Array(),
  bool: fc.uint8Array({ max: 1 }),
  // Halves of small integers are exact in both.
  float16: fc.float32Array({ max: 8, min: -8 }).map((a) => a.map((x) => Math.round(x * 2) / 2)),
  bfloat16: fc.float32Array({ max: 8, min: -8 }).map((a) => a.map((x) => Math.round(x * 2) / 2)),
} as const;

const anyTensor: fc.Arbitrary<StateTensor> = fc
  .constantFrom(...(Object.keys(DTYPES) as (keyof typeof DTYPES)[]))
  .chain((dtype) =>
    fc.tuple(DTYPES[dtype] as fc.Arbitrary<StateTensor['data']>, fc.boolean()).map(([data, flat]) => ({
      dtype,
      shape: flat ? [data.length] : [1, data.length, 1],
      data,
    })),
  );

const anyName = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((name) => name !== '__metadata__');
const anyTensors = fc.uniqueArray(fc.tuple(anyName, anyTensor), { selector: ([name]) => name, maxLength: 8 });

it('a file of another writer keeps its meaning', () => {
  const file = parseSafetensors(fixture('structsa_operator.safetensors'));
  const again = parseSafetensors(serializeSafetensors(file.toStateDict(), file.metadata));
  expect([...again.metadata]).toEqual([...file.metadata]);
  expect(again.names.toSorted()).toEqual(file.names.toSorted());
  for (const name of file.names) expect(again.get(name)).toEqual(file.get(name));
});

describe('properties', () => {
  it('what was written is read back, aligned, element for element', () => {
    fc.assert(
      fc.property(anyTensors, fc.array(fc.tuple(anyName, anyName)), (tensors, notes) => {
        const metadata = new Map(notes);
        const bytes = serializeSafetensors(new Map(tensors), metadata);
        const file = parseSafetensors(bytes);
        expect([...file.metadata]).toEqual([...metadata]);
        expect(file.names).toHaveLength(tensors.length);
        for (const [name, tensor] of tensors) {
          expect(file.get(name)).toEqual(tensor);
          const carried = tensor.dtype !== 'float16' && tensor.dtype !== 'bfloat16';
          if (carried) expect(file.get(name).data.buffer).toBe(bytes.buffer);
        }
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('the order of the tensors given does not change the bytes', () => {
    fc.assert(
      fc.property(anyTensors, (tensors) => {
        const there = serializeSafetensors(new Map(tensors));
        const back = serializeSafetensors(new Map(tensors.toReversed()));
        expect(Buffer.compare(there, back)).toBe(0);
      }),
      { numRuns: 100, seed: 2 },
    );
  });
});

describe('data', () => {
  it('writes the part of a buffer that an array views, and no more', () => {
    const data = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
    const file = parseSafetensors(serializeSafetensors({ a: { dtype: 'float32', shape: [2], data } }));
    expect(file.get('a').data).toEqual(Float32Array.of(1, 2));
  });

  it('rounds to float16 and bfloat16', () => {
    const data = Float32Array.of(1 / 3, 1e6, -1e-9);
    const file = parseSafetensors(
      serializeSafetensors({ h: { dtype: 'float16', shape: [3], data }, b: { dtype: 'bfloat16', shape: [3], data } }),
    );
    expect([...file.get('h').data]).toEqual([0.333251953125, Number.POSITIVE_INFINITY, -0]);
    expect([...file.get('b').data]).toEqual([0.333984375, 999424, -9.968061931431293e-10]);
    expect(file.info('h').byteLength).toBe(6);
  });

  it('does not change what it was given', () => {
    const data = Float32Array.of(0.1);
    serializeSafetensors({ a: { dtype: 'float16', shape: [1], data } });
    expect(data).toEqual(Float32Array.of(0.1));
  });
});

describe('refusals', () => {
  const good: StateTensor = { dtype: 'float32', shape: [2], data: new Float32Array(2) };
  const cases: readonly [string, SafetensorsErrorCode, RegExp, unknown, unknown?][] = [
    ['too few elements', 'InvalidTensorView', /"a".*2 elements.*3 for shape \[3\]/, { a: { ...good, shape: [3] } }],
    ['scalar with two elements', 'InvalidTensorView', /2 elements.*1 for shape \[\]/, { a: { ...good, shape: [] } }],
    ['negative size', 'InvalidTensorView', /shape "-2"/, { a: { ...good, shape: [-2] } }],
    ['fractional size', 'InvalidTensorView', /shape/, { a: { ...good, shape: [0.5, 4] } }],
    ['shape not an array', 'InvalidTensorView', /shape/, { a: { ...good, shape: 2 } }],
    ['rank 65', 'InvalidTensorView', /at most 64/, { a: { ...good, shape: [2, ...Array(64).fill(1)] } }],
    ['shape beyond 2^53', 'ValidationOverflow', /2\^53/, { a: { ...good, shape: [2 ** 52, 2 ** 52] } }],
    ['unknown dtype', 'InvalidTensorView', /"float31".*float64/, { a: { ...good, dtype: 'float31' } }],
    ['dtype that cannot be carried', 'InvalidTensorView', /complex64/, { a: { ...good, dtype: 'complex64' } }],
    ['dtype from Object.prototype', 'InvalidTensorView', /constructor/, { a: { ...good, dtype: 'constructor' } }],
    ['array of another type', 'InvalidTensorView', /Float32Array.*Float64Array/, { a: { ...good, dtype: 'float64' } }],
    ['plain array', 'InvalidTensorView', /object.*Float32Array/, { a: { ...good, data: [1, 2] } }],
    ['DataView', 'InvalidTensorView', /DataView/, { a: { ...good, data: new DataView(new ArrayBuffer(8)) } }],
    ['no tensor', 'InvalidTensorView', /"a"/, { a: undefined }],
    [
      'bool of 2',
      'InvalidTensorView',
      /2 at element 1/,
      { a: { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 2) } },
    ],
    [
      'inexact float8',
      'InvalidTensorView',
      /"a".*element 0 is 0\.1/,
      {
        a: { dtype: 'float8_e4m3fn', shape: [1], data: Float32Array.of(0.1) },
      },
    ],
    ['reserved name', 'InvalidArgument', /Rename/, { __metadata__: good }],
    ['unpaired surrogate in a name', 'InvalidArgument', /surrogate/, { 'a\ud800': good }],
    ['name not a string', 'InvalidArgument', /tensor name must be a string/, new Map([[1, good]])],
    ['metadata value not a string', 'InvalidArgument', /metadata value of "epoch"/, { a: good }, { epoch: 3 }],
    ['no tensors argument', 'InvalidArgument', /tensors must be/, undefined],
    ['metadata a string', 'InvalidArgument', /metadata must be/, { a: good }, 'pt'],
    ['header above the cap', 'HeaderTooLarge', /100000000/, {}, { very_large_metadata: 'a'.repeat(100_000_000) }],
  ];

  it.each(cases)('%s: %s', (_, code, message, tensors, metadata) => {
    const error = errorOf(() => serializeSafetensors(tensors as never, metadata as never));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });
});
