import { formatShape, product } from '@saccade/tensor-ops';
import { OnnxWriteError } from './errors.ts';
import { bytesField, type Encoded, floatField, intField, message, messageField, toBytes } from './protobuf.ts';

/** Version 20 of the operators: the first with `Gelu`. */
const OPSET = 20;
/** The version of the format that came with it. */
const IR_VERSION = 9;

// Numbers of the protocol (onnx.proto3): element types, and types of attributes.
const FLOAT = 1;
const INT64 = 7;
const [ATTRIBUTE_FLOAT, ATTRIBUTE_INT, ATTRIBUTE_INTS] = [1, 2, 7] as const;

/** Numbers with a shape, row-major. */
export interface Weight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A value of a graph: an input, a weight, or what a node makes. Only the builder that made it takes it. */
export interface Value {
  readonly name: string;
}

/** What parametrises a node: `{ axis: -1, perm: [0, 2, 1], epsilon: float(1e-6) }`. */
export type Attributes = Readonly<Record<string, number | readonly number[] | { readonly float: number }>>;

/** Marks an attribute as a `float`: JavaScript does not tell 1 from 1.0, the protocol does. */
export const float = (value: number): { readonly float: number } => ({ float: value });

/**
 * Builds the graph of an ONNX file node by node, in the order in which they are computed.
 *
 * @example
 * const graph = new GraphBuilder('double');
 * const x = graph.input('x', [2, 3]);
 * const file = graph.finish([{ name: 'y', value: graph.node('Add', [x, x]), shape: [2, 3] }]);
 */
export class GraphBuilder {
  readonly #name: string;
  readonly #values = new Map<string, Value>();
  readonly #constants = new Map<string, Value>();
  readonly #inputs: Encoded[] = [];
  readonly #initializers: Encoded[] = [];
  readonly #nodes: Encoded[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  /** An input of float32. */
  input(name: string, shape: readonly number[]): Value {
    this.#inputs.push(messageField(11, describeValue(name, shape)));
    return this.#value(name);
  }

  /** A weight, as an initialiser under its own name. @throws OnnxWriteError InvalidTensor, InvalidGraph */
  weight(name: string, { shape, data }: Weight): Value {
    if (product(shape) !== data.length) {
      throw new OnnxWriteError('InvalidTensor', `${name} has ${data.length} numbers for ${formatShape(shape)}.`);
    }
    // Typed arrays have the processor's order of bytes, little-endian wherever JavaScript runs today, as the format wants it.
    return this.#initializer(name, FLOAT, shape, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  /** Whole numbers [n], for shapes and axes; the same ones once. */
  integers(numbers: readonly number[]): Value {
    const name = `integers_${numbers.join('_')}`;
    const bytes = () => new Uint8Array(BigInt64Array.from(numbers, BigInt).buffer);
    return this.#constant(name, () => this.#initializer(name, INT64, [numbers.length], bytes()));
  }

  /** One number, []; the same one once. */
  scalar(number: number): Value {
    const name = `scalar_${number}`;
    return this.#constant(name, () => this.weight(name, { shape: [], data: Float32Array.of(number) }));
  }

  /** A node with one result. @param type an operator of ONNX: `MatMul` */
  node(type: string, inputs: readonly Value[], attributes: Attributes = {}): Value {
    return this.nodes(type, 1, inputs, attributes)[0] as Value;
  }

  /** A node with `count` results. */
  nodes(type: string, count: number, inputs: readonly Value[], attributes: Attributes = {}): Value[] {
    for (const input of inputs) this.#assertOwn(input, type);
    const name = `${type}_${this.#nodes.length}`;
    const outputs = Array.from({ length: count }, (_, i) =>
      this.#value(count === 1 ? `${name}.out` : `${name}.out${i}`),
    );
    this.#nodes.push(
      messageField(1, [
        ...inputs.map((input) => bytesField(1, input.name)),
        ...outputs.map((output) => bytesField(2, output.name)),
        bytesField(3, name),
        bytesField(4, type),
        ...Object.entries(attributes).map(([key, value]) => messageField(5, attribute(key, value))),
      ]),
    );
    return outputs;
  }

  /**
   * The bytes of the file.
   *
   * @param outputs results of the graph, of float32, under their own names
   * @throws OnnxWriteError InvalidGraph, TooLarge
   */
  finish(
    outputs: readonly { readonly name: string; readonly value: Value; readonly shape: readonly number[] }[],
  ): Uint8Array<ArrayBuffer> {
    if (outputs.length === 0) throw new OnnxWriteError('InvalidGraph', `${this.#name} has no output.`);
    const described = outputs.map(({ name, value, shape }) => {
      this.#assertOwn(value, 'finish');
      this.#value(name);
      this.#nodes.push(
        messageField(1, [
          bytesField(1, value.name),
          bytesField(2, name),
          bytesField(3, name),
          bytesField(4, 'Identity'),
        ]),
      );
      return messageField(12, describeValue(name, shape));
    });
    const graph = [...this.#nodes, bytesField(2, this.#name), ...this.#initializers, ...this.#inputs, ...described];
    const opset = [bytesField(1, ''), intField(2, OPSET)];
    return toBytes(
      message([intField(1, IR_VERSION), bytesField(2, 'saccade'), messageField(7, graph), messageField(8, opset)]),
    );
  }

  #value(name: string): Value {
    if (this.#values.has(name)) throw new OnnxWriteError('InvalidGraph', `two values are named ${name}.`);
    const value = { name };
    this.#values.set(name, value);
    return value;
  }

  #initializer(name: string, type: number, shape: readonly number[], bytes: Uint8Array): Value {
    const value = this.#value(name);
    const dims = shape.map((size) => intField(1, size));
    this.#initializers.push(messageField(5, [...dims, intField(2, type), bytesField(8, name), bytesField(9, bytes)]));
    return value;
  }

  #constant(name: string, make: () => Value): Value {
    const known = this.#constants.get(name) ?? make();
    this.#constants.set(name, known);
    return known;
  }

  #assertOwn(value: Value, user: string): void {
    if (this.#values.get(value.name) === value) return;
    throw new OnnxWriteError('InvalidGraph', `${user} takes "${value.name}", which is no value of ${this.#name}.`);
  }
}

/** A ValueInfoProto: name and type. */
function describeValue(name: string, shape: readonly number[]): Encoded[] {
  const dims = shape.map((size) => messageField(1, [intField(1, size)]));
  const tensor = messageField(1, [intField(1, FLOAT), messageField(2, dims)]);
  return [bytesField(1, name), messageField(2, [tensor])];
}

/** An AttributeProto. */
function attribute(name: string, value: Attributes[string]): Encoded[] {
  if (typeof value === 'number') return [bytesField(1, name), intField(3, value), intField(20, ATTRIBUTE_INT)];
  if ('float' in value) {
    return [bytesField(1, name), floatField(2, value.float), intField(20, ATTRIBUTE_FLOAT)];
  }
  return [bytesField(1, name), ...value.map((number) => intField(8, number)), intField(20, ATTRIBUTE_INTS)];
}
