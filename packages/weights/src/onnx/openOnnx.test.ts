import { describe, expect, it } from 'vitest';
import { expectAsWritten, fixtureBytes } from '../testing/expectations.ts';
import { field, onnxOf, tensorProto, varint } from '../testing/onnxBuilder.ts';
import { rejection } from '../testing/rejection.ts';
import { joined } from '../testing/zipBuilder.ts';
import { OnnxFileError } from './errors.ts';
import { openOnnx } from './openOnnx.ts';

const resolve = (name: string) => (name === 'external.data' ? fixtureBytes('onnx/external.data') : undefined);

describe('files written by the reference library', () => {
  it.each(['raw.onnx', 'fields.onnx', 'external.onnx'])('%s is read bit-exactly', async (name) => {
    const file = await openOnnx(fixtureBytes(`onnx/${name}`), { resolve });
    expect(file.format).toBe('onnx');
    expect(file.ignored).toEqual([]);
    await expectAsWritten(file, 'onnx', name);
  });

  it('tells who wrote it', async () => {
    const file = await openOnnx(fixtureBytes('onnx/raw.onnx'));
    expect(Object.fromEntries(file.metadata)).toEqual({
      producer_name: 'saccade',
      producer_version: '1',
      source: 'make_onnx_fixtures.py',
    });
  });

  it('lists text and sparse tensors as ignored, and types without an array as bytes', async () => {
    const mixed = await openOnnx(fixtureBytes('onnx/mixed.onnx'));
    expect([mixed.names, mixed.ignored]).toEqual([['good'], ['text', 'sparse']]);
    expect(() => mixed.info('sparse')).toThrow(/UnsupportedDtype.*sparse.*dense/);
    expect((await rejection(mixed.get('text'), OnnxFileError)).code).toBe('UnsupportedDtype');
    const raw = await openOnnx(fixtureBytes('onnx/raw.onnx'));
    expect(raw.info('int4')).toEqual({ dtype: 'int4', shape: [5], byteLength: 3 });
    expect((await rejection(raw.get('int4'), OnnxFileError)).message).toMatch(/bytes\(\)/);
    expect(await raw.bytes('int4')).toEqual(Uint8Array.of(0x78, 0xf1, 0x03));
  });
});

describe('laziness', () => {
  it('elements are passed over until they are asked for', async () => {
    const megabytes = new Uint8Array(4_000_000).fill(1);
    const model = onnxOf(
      tensorProto('a', 1, [1000, 1000], field(9, megabytes)),
      tensorProto('b', 1, [2], field(9, Uint8Array.of(0, 0, 128, 63, 0, 0, 0, 192))),
    );
    let total = 0;
    const file = await openOnnx({
      size: model.length,
      read: async (start, end) => {
        total += end - start;
        return model.slice(start, end);
      },
    });
    expect(file.info('a')).toEqual({ dtype: 'float32', shape: [1000, 1000], byteLength: 4_000_000 });
    expect(total).toBeLessThan(200_000);
    total = 0;
    expect((await file.get('b')).data).toEqual(Float32Array.of(1, -2));
    expect(total).toBe(8);
  });

  it('a graph of a hundred thousand nodes opens in about a second', async () => {
    const node = field(1, joined(field(1, 'x'), field(2, 'y'), field(4, 'Relu')));
    const nodes = joined(...Array.from({ length: 100_000 }, () => node));
    const last = field(5, tensorProto('w', 3, [1], field(9, Uint8Array.of(255))));
    const model = joined(field(1, 10), field(7, joined(nodes, last)));
    const start = performance.now();
    const file = await openOnnx(model);
    expect(performance.now() - start).toBeLessThan(10_000);
    expect((await file.get('w')).data).toEqual(Int8Array.of(-1));
  });
});

describe('encodings', () => {
  it('packed and repeated shapes, unknown fields of every kind, fields in any order', async () => {
    const unknown = joined(
      field(900, 5n),
      field(901, 'text'),
      joined(varint(902 * 8 + 1), new Uint8Array(8)),
      joined(varint(903 * 8 + 5), new Uint8Array(4)),
    );
    const packed = joined(
      field(9, Uint8Array.of(1, 2, 3, 4, 5, 6)),
      field(8, 'packed'),
      unknown,
      field(2, 2),
      field(1, joined(varint(1), varint(2))),
      field(1, 3),
    );
    const graph = joined(unknown, field(5, packed), unknown);
    const file = await openOnnx(joined(unknown, field(7, graph), unknown, field(1, 10)));
    expect(await file.get('packed')).toEqual({
      dtype: 'uint8',
      shape: [1, 2, 3],
      data: Uint8Array.of(1, 2, 3, 4, 5, 6),
    });
  });

  it('numbers of every length, at the borders of their types', async () => {
    const numbers = [0n, 1n, 127n, 128n, 2n ** 31n - 1n, 2n ** 32n, 2n ** 35n, 2n ** 63n - 1n, -1n, -(2n ** 63n)];
    const packed = field(7, joined(...numbers.map(varint)));
    const file = await openOnnx(onnxOf(tensorProto('i', 7, [numbers.length], packed)));
    expect((await file.get('i')).data).toEqual(BigInt64Array.from(numbers));
  });
});
