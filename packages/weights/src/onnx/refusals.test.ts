import { describe, expect, it } from 'vitest';
import { fixtureBytes } from '../testing/expectations.ts';
import { external, field, onnxOf, tensorProto, varint } from '../testing/onnxBuilder.ts';
import { rejection } from '../testing/rejection.ts';
import { joined } from '../testing/zipBuilder.ts';
import { OnnxFileError, type OnnxFileErrorCode } from './errors.ts';
import { openOnnx } from './openOnnx.ts';

/** The refusal of a file when it is opened, or when everything in it is read. */
async function refusal(bytes: Uint8Array, resolve = () => new Uint8Array(16)): Promise<OnnxFileError> {
  const read = async () => {
    const file = await openOnnx(bytes, { resolve });
    for (const name of file.names) await file.bytes(name);
  };
  return await rejection(read(), OnnxFileError);
}

const raw = (length: number) => field(9, new Uint8Array(length));
const bytes = (...values: number[]) => Uint8Array.from(values);

describe('messages', () => {
  it.each<[string, OnnxFileErrorCode, Uint8Array]>([
    ['nothing', 'NotOnnx', bytes()],
    ['no graph', 'NotOnnx', field(1, 10)],
    ['two graphs', 'NotOnnx', joined(field(7, ''), field(7, ''))],
    ['a graph that is a number', 'NotOnnx', field(7, 3)],
    ['a number that does not end', 'InvalidProtobuf', bytes(0x08, 0x80)],
    ['a number of 11 bytes', 'InvalidProtobuf', bytes(0x08, ...Array(10).fill(0xff), 1)],
    ['a number above 2^64', 'InvalidProtobuf', bytes(0x08, ...Array(9).fill(0xff), 2)],
    ['field number 0', 'InvalidProtobuf', bytes(0, 0)],
    ['a field number above 2^29', 'InvalidProtobuf', joined(varint(2 ** 32), varint(0))],
    ['a group', 'InvalidProtobuf', bytes(0x0b, 0x0c)],
    ['encoding 7', 'InvalidProtobuf', bytes(0x0f)],
    ['a graph beyond the end', 'InvalidProtobuf', bytes(0x08, 10, 0x3a, 100)],
    ['a graph of 2^63 bytes', 'InvalidProtobuf', joined(bytes(0x3a), varint(2n ** 63n))],
    ['a fixed number beyond the end', 'InvalidProtobuf', bytes(0x09, 1, 2, 3)],
    ['an initialiser beyond its graph', 'InvalidProtobuf', joined(field(7, bytes(0x2a, 100)), new Uint8Array(200))],
    ['an initialiser that is a number', 'InvalidModel', field(7, field(5, 1))],
    ['a producer that is not UTF-8', 'InvalidModel', joined(field(2, bytes(0xff)), field(7, ''))],
    ['a producer of 100 kB', 'InvalidModel', joined(field(2, 'x'.repeat(100_000)), field(7, ''))],
    ['a property twice', 'InvalidModel', joined(field(14, field(1, 'a')), field(14, field(1, 'a')), field(7, ''))],
    ['a property that is a number', 'InvalidModel', joined(field(14, 1), field(7, ''))],
  ])('with %s: %s', async (_, code, model) => {
    const error = await refusal(model);
    expect(error.code, error.message).toBe(code);
  });

  it('cut anywhere', async () => {
    const whole = fixtureBytes('onnx/fields.onnx');
    for (let length = 0; length < whole.length; length += 3) await refusal(whole.subarray(0, length));
  });
});

describe('initialisers', () => {
  it.each<[string, OnnxFileErrorCode, Uint8Array]>([
    ['of the same name', 'InvalidModel', onnxOf(tensorProto('a', 1, [1], raw(4)), tensorProto('a', 1, [1], raw(4)))],
    [
      'of text and numbers of the same name',
      'InvalidModel',
      onnxOf(tensorProto('a', 8, []), tensorProto('a', 1, [1], raw(4))),
    ],
    ['with a negative size', 'InvalidModel', onnxOf(joined(field(1, -1n), tensorProto('a', 1, [], raw(4))))],
    ['with a size of 2^53', 'InvalidModel', onnxOf(joined(field(1, 2n ** 53n), tensorProto('a', 1, [0])))],
    ['with a product above 2^53', 'InvalidModel', onnxOf(tensorProto('a', 2, [94906267, 94906267], raw(4)))],
    ['with a product above 2^53 that is 0', 'InvalidModel', onnxOf(tensorProto('a', 2, [94906267, 94906267, 0]))],
    ['with 65 axes', 'InvalidModel', onnxOf(tensorProto('a', 1, Array(65).fill(1), raw(4)))],
    [
      'with 65 axes, packed',
      'InvalidModel',
      onnxOf(tensorProto('a', 1, [], field(1, new Uint8Array(65).fill(1)), raw(4))),
    ],
    [
      'with a packed shape of 100 kB',
      'InvalidModel',
      onnxOf(tensorProto('a', 1, [], field(1, new Uint8Array(100_000).fill(0x80)))),
    ],
    [
      'with a packed shape that does not end',
      'InvalidModel',
      onnxOf(tensorProto('a', 1, [], field(1, bytes(1, 0x80)), raw(4))),
    ],
    ['with a shape of fixed numbers', 'InvalidModel', onnxOf(tensorProto('a', 1, [], bytes(0x0d, 1, 0, 0, 0), raw(4)))],
    ['with a type that is text', 'InvalidModel', onnxOf(tensorProto('a', 1, [1], field(2, 'x'), raw(4)))],
    ['with a name that is a number', 'InvalidModel', onnxOf(tensorProto('a', 1, [1], field(8, 1), raw(4)))],
    ['that are segments', 'InvalidModel', onnxOf(tensorProto('a', 1, [1], field(3, ''), raw(4)))],
    ['without elements', 'InvalidModel', onnxOf(tensorProto('a', 1, [1]))],
    ['with too few bytes', 'InvalidModel', onnxOf(tensorProto('a', 1, [2], raw(7)))],
    ['with too many bytes', 'InvalidModel', onnxOf(tensorProto('a', 1, [2], raw(9)))],
    ['with elements twice', 'InvalidModel', onnxOf(tensorProto('a', 1, [1], raw(4), raw(4)))],
    [
      'with elements in two fields',
      'InvalidModel',
      onnxOf(tensorProto('a', 1, [1], raw(4), field(4, new Uint8Array(4)))),
    ],
    ['with elements one by one', 'InvalidModel', onnxOf(tensorProto('a', 7, [1], field(7, 5)))],
    [
      'with elements in the field of another type',
      'InvalidModel',
      onnxOf(tensorProto('a', 7, [1], field(5, bytes(1)))),
    ],
    ['with floats that are too few', 'InvalidModel', onnxOf(tensorProto('a', 1, [2], field(4, new Uint8Array(4))))],
    ['with too few numbers', 'InvalidModel', onnxOf(tensorProto('a', 7, [3], field(7, bytes(1, 0x81, 1))))],
    ['with far too few numbers', 'InvalidModel', onnxOf(tensorProto('a', 7, [1e9], field(7, bytes(1))))],
    ['with too many numbers', 'InvalidModel', onnxOf(tensorProto('a', 7, [1], field(7, bytes(1, 1))))],
    ['with numbers that do not end', 'InvalidModel', onnxOf(tensorProto('a', 7, [1], field(7, bytes(0x80))))],
    [
      'with a number of 11 bytes',
      'InvalidModel',
      onnxOf(tensorProto('a', 7, [2], field(7, bytes(...Array(10).fill(0x80), 0)))),
    ],
    ['with a number too large for uint8', 'InvalidModel', onnxOf(tensorProto('a', 2, [1], field(5, varint(256))))],
    ['with a negative uint8', 'InvalidModel', onnxOf(tensorProto('a', 2, [1], field(5, varint(-1n))))],
    ['with a number too large for int8', 'InvalidModel', onnxOf(tensorProto('a', 3, [1], field(5, varint(128))))],
    ['with a number too small for int16', 'InvalidModel', onnxOf(tensorProto('a', 5, [1], field(5, varint(-32769n))))],
    ['with a number too large for int32', 'InvalidModel', onnxOf(tensorProto('a', 6, [1], field(5, varint(2 ** 31))))],
    [
      'with a number too large for uint32',
      'InvalidModel',
      onnxOf(tensorProto('a', 12, [1], field(11, varint(2 ** 32)))),
    ],
  ])('%s: %s', async (_, code, model) => {
    const error = await refusal(model);
    expect(error.code, error.message).toBe(code);
  });

  it('of types that are not known are ignored', async () => {
    const file = await openOnnx(onnxOf(tensorProto('new', 99, [1], raw(4)), tensorProto('none', 0, [])));
    expect([file.names, file.ignored]).toEqual([[], ['new', 'none']]);
    expect(() => file.info('new')).toThrow(/UnsupportedDtype.*99/);
  });
});

describe('external data', () => {
  const at = (properties: Record<string, string>, ...more: Uint8Array[]) =>
    onnxOf(tensorProto('a', 1, [4], external(properties), ...more));

  it('in a part of a file, and in the whole of one', async () => {
    const data = Float32Array.of(1, 2, 3, 4, 5, 6);
    const part = await openOnnx(at({ location: 'x/w.bin', offset: '8', length: '16', checksum: 'abc' }), {
      resolve: () => new Blob([data]),
    });
    expect((await part.get('a')).data).toEqual(data.slice(2));
    const rest = await openOnnx(at({ location: 'w.bin', offset: '8' }), { resolve: () => data.buffer });
    expect((await rest.get('a')).data).toEqual(data.slice(2));
  });

  it.each<[string, OnnxFileErrorCode, Uint8Array]>([
    ['without a location', 'InvalidModel', at({ offset: '0' })],
    ['with elements in the model', 'InvalidModel', at({ location: 'a' }, raw(16))],
    ['with an offset that is no number', 'InvalidModel', at({ location: 'a', offset: '0x8' })],
    ['with a negative offset', 'InvalidModel', at({ location: 'a', offset: '-1' })],
    ['with an offset of 2^60', 'InvalidModel', at({ location: 'a', offset: '1152921504606846976' })],
    ['with another length', 'InvalidModel', at({ location: 'a', length: '15' })],
    ['beyond the end of the file', 'InvalidModel', at({ location: 'a', offset: '1', length: '16' })],
    [
      'in a longer file, without a length',
      'InvalidModel',
      onnxOf(tensorProto('a', 2, [4], external({ location: 'a' }))),
    ],
    ['with a location upwards', 'UnsafeShardName', at({ location: '../a' })],
    ['with an absolute location', 'UnsafeShardName', at({ location: '/etc/passwd' })],
    ['with a URL as location', 'UnsafeShardName', at({ location: 'https://host.example/a' })],
    ['with an empty location', 'UnsafeShardName', at({ location: '' })],
  ])('%s: %s', async (_, code, model) => {
    const error = await refusal(model);
    expect(error.code, error.message).toBe(code);
  });

  it('is asked for once a file, and missed with a message', async () => {
    const two = onnxOf(
      ...['a', 'b'].map((name) => tensorProto(name, 1, [4], external({ location: 'w.bin', length: '16' }))),
    );
    const asked: string[] = [];
    await openOnnx(two, {
      resolve: (name) => {
        asked.push(name);
        return new Uint8Array(16);
      },
    });
    expect(asked).toEqual(['w.bin']);
    expect((await rejection(openOnnx(two), OnnxFileError)).message).toMatch(/ShardMissing.*"w\.bin".*resolve/);
  });

  it('of which thousands of tensors are made is read one by one only', async () => {
    const tensors = Array.from({ length: 2000 }, (_, i) =>
      tensorProto(`t${i}`, 1, [25_000], external({ location: 'w' })),
    );
    const file = await openOnnx(onnxOf(...tensors), { resolve: () => new Uint8Array(100_000) });
    expect((await file.get('t7')).data.length).toBe(25_000);
    const error = await rejection(file.toStateDict(), OnnxFileError);
    expect(error.message).toMatch(/TooLarge.*one by one/);
  });
});

it('other arguments and sources', async () => {
  expect((await rejection(openOnnx('m.onnx' as never), OnnxFileError)).code).toBe('InvalidArgument');
  const failing = { size: 100, read: () => Promise.reject(new Error('cable cut')) };
  expect((await rejection(openOnnx(failing), OnnxFileError)).message).toMatch(/IoError.*cable cut/);
  const model = onnxOf(tensorProto('fc.weight', 1, [1], raw(4)));
  const error = await rejection((await openOnnx(model)).get('fc.weights'), OnnxFileError);
  expect([error.code, error.nearNames]).toEqual(['TensorNotFound', ['fc.weight']]);
});
