import { openOnnx } from '@saccade/weights';
import { describe, expect, it } from 'vitest';
import { OnnxWriteError, type OnnxWriteErrorCode } from './errors.ts';
import { float, GraphBuilder } from './graphBuilder.ts';
import { bytesField, intField, messageField, toBytes } from './protobuf.ts';

function refusal(action: () => unknown): OnnxWriteErrorCode {
  try {
    action();
  } catch (error) {
    if (error instanceof OnnxWriteError) return error.code;
    throw error;
  }
  throw new Error('nothing was refused');
}

const hex = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

describe('protobuf', () => {
  // The examples of protobuf's own description of its encoding.
  it('numbers, text and messages in messages are encoded as the specification shows', () => {
    expect(hex(toBytes(intField(1, 150)))).toBe('08 96 01');
    expect(hex(toBytes(bytesField(2, 'testing')))).toBe('12 07 74 65 73 74 69 6e 67');
    expect(hex(toBytes(messageField(3, [intField(1, 150)])))).toBe('1a 03 08 96 01');
    expect(hex(toBytes(intField(1, -2)))).toBe('08 fe ff ff ff ff ff ff ff ff 01');
  });

  it('a message of 2 GiB is refused before it is joined', () => {
    expect(refusal(() => toBytes({ pieces: [], length: 2 ** 31 }))).toBe('TooLarge');
  });
});

describe('a graph', () => {
  const weight = { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, 5e-30, -6e30) };

  it('gives back its weights to the reader of ONNX files', async () => {
    const graph = new GraphBuilder('g');
    const x = graph.input('x', [2, 3]);
    const sum = graph.node('Add', [x, graph.weight('layer.weight', weight)], {
      alpha: float(0.5),
      axis: -1,
      pads: [1, 2],
    });
    const shape = graph.integers([3, -1]);
    expect(graph.integers([3, -1])).toBe(shape);
    const file = await openOnnx(
      graph.finish([{ name: 'y', value: graph.node('Reshape', [sum, shape]), shape: [3, 2] }]),
    );
    expect(file.metadata.get('producer_name')).toBe('saccade');
    expect(file.names).toEqual(['layer.weight', 'integers_3_-1']);
    expect(await file.get('layer.weight')).toEqual({ dtype: 'float32', ...weight });
    expect((await file.get('integers_3_-1')).data).toEqual(BigInt64Array.of(3n, -1n));
  });

  it.each<[string, OnnxWriteErrorCode, (graph: GraphBuilder) => unknown]>([
    ['a weight of another size', 'InvalidTensor', (g) => g.weight('w', { shape: [7], data: weight.data })],
    ['a name twice', 'InvalidGraph', (g) => [g.input('x', [1]), g.weight('x', weight)]],
    ['a value of another graph', 'InvalidGraph', (g) => g.node('Relu', [new GraphBuilder('other').input('x', [1])])],
    ['no output', 'InvalidGraph', (g) => g.finish([])],
    ['an output that nobody made', 'InvalidGraph', (g) => g.finish([{ name: 'y', value: { name: 'x' }, shape: [] }])],
    ['an attribute that is not whole', 'InvalidGraph', (g) => g.node('Relu', [], { axis: 0.5 })],
  ])('refuses %s', (_, code, build) => {
    expect(refusal(() => build(new GraphBuilder('g')))).toBe(code);
  });
});
