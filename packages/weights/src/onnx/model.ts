import type { Reading } from '../source/reading.ts';
import { quote } from '../weightsError.ts';
import { OnnxFileError } from './errors.ts';
import { type IgnoredTensor, type OnnxTensor, readTensorProto } from './tensorProto.ts';
import { readProperty, readText } from './text.ts';
import { BYTES, type Field, readField, VARINT } from './wire.ts';

/** The initialisers of a model, in the order of the file. */
export interface OnnxModel {
  /** What the producer says about itself and the model. */
  readonly notes: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, OnnxTensor>;
  readonly ignored: ReadonlyMap<string, string>;
}

/** Fields of a ModelProto that are text. */
const TEXTS: ReadonlyMap<number, string> = new Map([
  [2, 'producer_name'],
  [3, 'producer_version'],
  [4, 'domain'],
]);
const GRAPH = 7;
const METADATA = 14;
/** Fields of a GraphProto. */
const INITIALIZER = 5;
const SPARSE_INITIALIZER = 15;

/** Every tensor takes memory for its description, however small it is. */
const MAX_TENSORS = 1_000_000;

/** The fields of a ModelProto before its graph, in the order in which every serialiser writes them. */
const BEFORE_GRAPH = [1, 2, 3, 4, 5, 6];

/**
 * Whether a file of `size` bytes begins as an ONNX model does: with the version of the format, then other fields of a
 * ModelProto in order, then a graph. Formats have no magic number in protobuf; nothing else was found to begin like that.
 */
export function* looksLikeOnnx(size: number): Reading<boolean> {
  let at = 0;
  for (let previous = 0; at < size; ) {
    // The graph may reach beyond the end of a file that was cut short: its tag says enough.
    const [tag] = yield [at, at + 1];
    if (previous > 0 && tag === (GRAPH << 3) + BYTES) return true;
    let field: Field;
    try {
      field = yield* readField(at, size);
    } catch (error) {
      if (error instanceof OnnxFileError) return false;
      throw error;
    }
    const { number, wire } = field;
    if (at === 0 && !(number === 1 && wire === VARINT && field.value > 0 && field.value < 1000)) return false;
    if (!BEFORE_GRAPH.includes(number) || number <= previous) return false;
    previous = number;
    at = field.end;
  }
  return false;
}

/**
 * Reads what a model of `size` bytes says about its initialisers, without their elements. Nodes are passed over.
 *
 * @throws OnnxFileError NotOnnx, InvalidProtobuf, InvalidModel
 */
export function* readModel(size: number): Reading<OnnxModel> {
  const notes = new Map<string, string>();
  const found: Found = { tensors: new Map(), ignored: new Map() };
  let graphs = 0;
  let field: Field;
  for (let at = 0; at < size; at = field.end) {
    field = yield* readField(at, size);
    const text = TEXTS.get(field.number);
    if (text !== undefined) addNote(notes, text, yield* readText(field, text));
    else if (field.number === METADATA) yield* readProperty(field, notes);
    else if (field.number === GRAPH && field.wire === BYTES) {
      graphs++;
      yield* readGraph(field, found);
    }
  }
  if (graphs !== 1) {
    throw new OnnxFileError(
      'NotOnnx',
      `it holds ${graphs} graphs in place of one. It is no model, or was not exported whole.`,
    );
  }
  return { notes, ...found };
}

interface Found {
  readonly tensors: Map<string, OnnxTensor>;
  readonly ignored: Map<string, string>;
}

function addNote(notes: Map<string, string>, key: string, text: string): void {
  if (text !== '') notes.set(key, text);
}

function* readGraph(graph: Field, found: Found): Reading<void> {
  let field: Field;
  for (let at = graph.start; at < graph.end; at = field.end) {
    field = yield* readField(at, graph.end);
    if (field.number !== INITIALIZER && field.number !== SPARSE_INITIALIZER) continue;
    if (field.wire !== BYTES) throw new OnnxFileError('InvalidModel', 'an initialiser is no message.');
    add(found, yield* field.number === INITIALIZER ? readTensorProto(field.start, field.end) : readSparse(field));
  }
}

/** A SparseTensorProto: the name is that of its values. */
function* readSparse(sparse: Field): Reading<IgnoredTensor> {
  let name = '';
  let field: Field;
  for (let at = sparse.start; at < sparse.end; at = field.end) {
    field = yield* readField(at, sparse.end);
    if (field.number === 1 && field.wire === BYTES) ({ name } = yield* readTensorProto(field.start, field.end));
  }
  return { name, ignored: `${quote(name)} is sparse, which is not read. Export the model with dense initialisers.` };
}

function add({ tensors, ignored }: Found, tensor: OnnxTensor | IgnoredTensor): void {
  const { name } = tensor;
  if (tensors.has(name) || ignored.has(name)) {
    throw new OnnxFileError('InvalidModel', `two initialisers are named ${quote(name)}, of which one would vanish.`);
  }
  if (tensors.size + ignored.size === MAX_TENSORS) {
    throw new OnnxFileError('InvalidModel', `it has more than ${MAX_TENSORS} initialisers.`);
  }
  if ('ignored' in tensor) ignored.set(name, tensor.ignored);
  else tensors.set(name, tensor);
}
