import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { rejection } from '../testing/rejection.ts';
import { cut, modelOf } from '../testing/tfjsBuilder.ts';
import { TfjsFileError } from './errors.ts';
import { openTfjs } from './openTfjs.ts';

const bits = ({ buffer, byteOffset, byteLength }: ArrayBufferView) => [
  ...new Uint8Array(buffer, byteOffset, byteLength),
];

/** Bytes of one element in a shard. */
const WIDTHS: Readonly<Record<string, number>> = { float32: 4, int32: 4, bool: 1, uint8: 1, uint16: 2, float16: 2 };

const storedLength = ({ shape, dtype, quantization }: tf.io.WeightsManifestEntry): number =>
  shape.reduce((product, size) => product * size, 1) * WIDTHS[quantization?.dtype ?? dtype]!;

beforeAll(async () => {
  await tf.setBackend('cpu');
});

/** Reads the same bytes with tfjs and with this reader, and compares bit by bit. */
async function expectAsTfjs(specs: tf.io.WeightsManifestEntry[], data: Uint8Array, ...places: number[]): Promise<void> {
  const { json, resolve } = modelOf([{ weights: specs, shards: cut(data, ...places) }]);
  const file = await openTfjs(json, { resolve });
  const expected = tf.io.decodeWeights(data.slice().buffer, specs);
  expect(file.names).toEqual(Object.keys(expected));
  for (const { name } of specs) {
    const tensor = expected[name]!;
    const { dtype, shape, data: values } = await file.get(name);
    expect({ dtype, shape }).toEqual({ dtype: tensor.dtype, shape: tensor.shape });
    expect(bits(values), name).toEqual(bits(tensor.dataSync()));
    expect(await file.bytes(name)).toEqual(Uint8Array.from(bits(values)));
    expect(file.info(name).byteLength).toBe(values.byteLength);
  }
  tf.dispose(expected);
}

const number = fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
const affine = (dtype: 'uint8' | 'uint16') => fc.record({ dtype: fc.constant(dtype), scale: number, min: number });
const storage = fc.oneof(
  fc.constantFrom({ dtype: 'float32' }, { dtype: 'int32' }, { dtype: 'bool' }),
  fc.constant({ dtype: 'float32', quantization: { dtype: 'float16' } }),
  fc.record({
    dtype: fc.constantFrom('float32', 'int32'),
    quantization: fc.oneof(affine('uint8'), affine('uint16')),
  }),
);
const specs = fc
  .array(fc.tuple(storage, fc.array(fc.nat({ max: 4 }), { maxLength: 4 })), { maxLength: 4 })
  .map((all) =>
    all.map(([stored, shape], i) => ({ name: `layer_${i}/kernel`, shape, ...stored }) as tf.io.WeightsManifestEntry),
  );

describe('tf.io.decodeWeights gives the same', () => {
  it('for weights of every dtype and quantisation, cut into shards anywhere', async () => {
    await fc.assert(
      fc.asyncProperty(
        specs,
        fc.infiniteStream(fc.nat({ max: 255 })),
        fc.nat(),
        fc.nat(),
        async (all, stream, a, b) => {
          // Weights of odd lengths make those that follow unaligned, which tfjs copies, too.
          const length = all.reduce((sum, spec) => sum + storedLength(spec), 0);
          const data = Uint8Array.from({ length }, () => stream.next().value!);
          const places = [a % (length + 1), b % (length + 1)].sort((x, y) => x - y);
          await expectAsTfjs(all, data, ...places);
        },
      ),
      { numRuns: 200, seed: 7 },
    );
  });

  it('for every number of float16', async () => {
    const codes = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i);
    const spec = { name: 'w', shape: [2 ** 16], dtype: 'float32', quantization: { dtype: 'float16' } } as const;
    await expectAsTfjs([{ ...spec, shape: [...spec.shape] }], new Uint8Array(codes.buffer));
  });

  it('for every number of uint8 and uint16, with a scale that is no short fraction', async () => {
    const codes = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i);
    for (const dtype of ['float32', 'int32'] as const) {
      const quantization = { dtype: 'uint16' as const, scale: 0.003921568859368563, min: -0.5019607843137255 };
      await expectAsTfjs([{ name: 'w', shape: [2 ** 16], dtype, quantization }], new Uint8Array(codes.buffer));
    }
  });

  it('for what tfjs itself writes', async () => {
    const tensors = {
      kernel: tf.tensor([1.5, -2.25, 3, 4], [2, 2]),
      steps: tf.tensor([1, -7], [2], 'int32'),
      mask: tf.tensor([true, false, true], [3], 'bool'),
      scalar: tf.scalar(0.1),
      empty: tf.zeros([0, 3]),
    };
    const { data, specs: written } = await tf.io.encodeWeights(tensors);
    await expectAsTfjs(written, new Uint8Array(data as ArrayBuffer), 5, 16);
    tf.dispose(tensors);
  });
});

describe('models', () => {
  const weights = [
    {
      name: 'conv1/kernel',
      shape: [1, 1, 2, 2],
      dtype: 'float32',
      quantization: { dtype: 'uint8', scale: 0.5, min: -1 },
    },
    { name: 'conv1/bias', shape: [2], dtype: 'float32' },
  ];
  const data = Uint8Array.of(0, 1, 2, 255, 0, 0, 128, 63, 0, 0, 0, 192);

  it('of layers, with several groups of several shards', async () => {
    const { json, resolve } = modelOf(
      [
        { weights, shards: cut(data, 2, 2, 7) },
        {
          weights: [{ name: 'head/bias', shape: [], dtype: 'int32' }],
          shards: { 'head/b.bin': Uint8Array.of(7, 0, 0, 0) },
        },
        { weights: [], shards: {} },
      ],
      {
        format: 'layers-model',
        generatedBy: 'keras v2.15.0',
        convertedBy: null,
        modelTopology: {
          model_config: { class_name: 'Sequential', config: { layers: [[{ a: [1, -2.5e-3, null] }]] } },
        },
        trainingConfig: { loss: 'mse' },
      },
    );
    const file = await openTfjs(json, { resolve });
    expect(file.format).toBe('tfjs');
    expect(file.metadata).toEqual(
      new Map([
        ['format', 'layers-model'],
        ['generatedBy', 'keras v2.15.0'],
      ]),
    );
    expect(file.names).toEqual(['conv1/kernel', 'conv1/bias', 'head/bias']);
    expect(file.info('conv1/kernel')).toEqual({ dtype: 'float32', shape: [1, 1, 2, 2], byteLength: 16 });
    const state = await file.toStateDict();
    expect(state.get('conv1/kernel')?.data).toEqual(Float32Array.of(-1, -0.5, 0, 126.5));
    expect(state.get('conv1/bias')?.data).toEqual(Float32Array.of(1, -2));
    expect(state.get('head/bias')).toEqual({ dtype: 'int32', shape: [], data: Int32Array.of(7) });
  });

  it('passes over what it does not know in a description', async () => {
    const more = [{ ...weights[1], group: 'g', original_name: ['x'], quantization: undefined }];
    const { json, resolve } = modelOf([{ weights: more, shards: { 'a.bin': data.slice(4) } }]);
    expect((await (await openTfjs(json, { resolve })).get('conv1/bias')).data).toEqual(Float32Array.of(1, -2));
  });

  it('opens without reading the shards, and reads only what is asked for', async () => {
    const { json } = modelOf([{ weights, shards: { 'a.bin': data } }]);
    const ranges: number[][] = [];
    const shard = {
      size: data.length,
      read: async (start: number, end: number) => {
        ranges.push([start, end]);
        return data.slice(start, end);
      },
    };
    const file = await openTfjs(new Blob([json]), { resolve: async () => shard });
    expect(ranges).toEqual([]);
    await file.get('conv1/bias');
    expect(ranges).toEqual([[4, 12]]);
  });

  it('complex weights are listed, and their bytes are there', async () => {
    const { json, resolve } = modelOf([
      { weights: [{ name: 'c', shape: [1], dtype: 'complex64' }], shards: { 'a.bin': data.slice(4) } },
    ]);
    const file = await openTfjs(json, { resolve });
    expect(file.info('c').dtype).toBe('complex64');
    expect((await rejection(file.get('c'), TfjsFileError)).code).toBe('UnsupportedDtype');
    expect(await file.bytes('c')).toEqual(data.slice(4));
  });

  it('a wrong name gets near ones', async () => {
    const { json, resolve } = modelOf([{ weights, shards: { 'a.bin': data } }]);
    const error = await rejection((await openTfjs(json, { resolve })).get('conv1/kernels'), TfjsFileError);
    expect([error.code, error.nearNames[0]]).toEqual(['TensorNotFound', 'conv1/kernel']);
  });
});
