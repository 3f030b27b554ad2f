import { type LazyTensor, LazyWeights } from '../lazyWeights.ts';
import { openShard, type ShardResolver } from '../shards/resolve.ts';
import { type ByteSource, byteSource, readExactly, type SourceInput } from '../source/byteSource.ts';
import { readAhead } from '../source/readAhead.ts';
import { runOnSource } from '../source/reading.ts';
import { quote } from '../weightsError.ts';
import { OnnxFileError, onnxFailure, withOnnxErrors } from './errors.ts';
import { readModel } from './model.ts';
import { numbersIn, type OnnxTensor } from './tensorProto.ts';
import { unpackVarints } from './varints.ts';

/** Options of {@link openOnnx}. */
export interface OpenOnnxOptions {
  /** Finds the files of external data that the model names. Models below 2 GiB rarely have such. */
  readonly resolve?: ShardResolver | undefined;
}

/** Numbers of one byte may stand for eight. */
const BYTES_PER_FILE_BYTE = 8;

/**
 * Opens the initialisers of an ONNX model: its weights. Nodes, and tensors within nodes (`Constant`), are passed over, and so
 * are the elements until they are asked for. Names and layouts are those of the exporter; PyTorch's keep PyTorch's.
 *
 * Text and sparse initialisers are listed under `ignored`.
 *
 * @param source the .onnx file
 * @throws OnnxFileError; an abort of a source unchanged
 * @example
 * const file = await openOnnx(await openFile('model.onnx'));
 * const { shape, data } = await file.get('fc.weight');
 */
export async function openOnnx(source: SourceInput, { resolve }: OpenOnnxOptions = {}): Promise<LazyWeights> {
  return await withOnnxErrors(async () => {
    const model = byteSource(source);
    const { notes, tensors, ignored } = await runOnSource(readModel(model.size), readAhead(model));
    const files = new Map<string, ByteSource>();
    const lazy = new Map<string, LazyTensor>();
    for (const [name, tensor] of tensors) {
      if (tensor.place.kind === 'external' && !files.has(tensor.place.location)) {
        files.set(tensor.place.location, await openShard(tensor.place.location, { resolve, failure: onnxFailure }));
      }
      lazy.set(name, lazyTensor(tensor, model, files));
    }
    let size = model.size;
    for (const file of files.values()) size += file.size;
    return new LazyWeights({
      format: 'onnx',
      metadata: notes,
      tensors: lazy,
      ignored,
      limit: BYTES_PER_FILE_BYTE * size,
      failure: onnxFailure,
    });
  });
}

function lazyTensor(tensor: OnnxTensor, model: ByteSource, files: ReadonlyMap<string, ByteSource>): LazyTensor {
  const { name, type, shape, byteLength, place } = tensor;
  if (place.kind !== 'external') {
    const [start, end] = place.kind === 'none' ? [0, 0] : [place.start, place.end];
    const read = () => withOnnxErrors(async () => decodeElements(tensor, await readExactly(model, start, end)));
    return { dtype: type.dtype, shape, byteLength, read };
  }
  const file = files.get(place.location)!;
  const end = place.offset + byteLength;
  if (end > file.size || (place.length === undefined && end !== file.size)) {
    throw new OnnxFileError(
      'InvalidModel',
      `${quote(name)} takes bytes ${place.offset} to ${end} of ${quote(place.location)}, which has ${file.size}. It is cut ` +
        'short or belongs to another model.',
    );
  }
  const read = () => withOnnxErrors(async () => await readExactly(file, place.offset, end));
  return { dtype: type.dtype, shape, byteLength, read };
}

/** The elements of a tensor in the model itself, little-endian. @throws OnnxFileError InvalidModel */
export function decodeElements({ name, type, byteLength, place }: OnnxTensor, stored: Uint8Array): Uint8Array {
  if (place.kind !== 'int32_data' && place.kind !== 'int64_data' && place.kind !== 'uint64_data') return stored;
  const count = numbersIn(type, byteLength);
  const elements = unpackVarints(stored, { count, width: byteLength / Math.max(1, count), signed: type.signed });
  if (elements !== undefined) return elements;
  throw new OnnxFileError(
    'InvalidModel',
    `the ${place.kind} of ${quote(name)} are not ${count} numbers of ${type.dtype}. Export the model again.`,
  );
}
