import { crc32 } from 'node:zlib';
import type { StateTensor } from '@saccade/weights';
import { bytesField, intField, message, messageField, toBytes } from '../../onnx/protobuf.ts';

// The packages read .npz and ONNX files and do not write them: here are the plainest of both, as numpy.savez and an exporter
// write them.

/** A state dict by name. */
export type NamedState = ReadonlyMap<string, StateTensor>;

/** NumPy's and ONNX's names of the types that networks have. */
const TYPES: Readonly<Record<string, { readonly descr: string; readonly onnx: number }>> = {
  float32: { descr: '<f4', onnx: 1 },
  int64: { descr: '<i8', onnx: 7 },
};

function typeOf(name: string, { dtype }: StateTensor) {
  const type = TYPES[dtype];
  if (type === undefined)
    throw new Error(`${name} is of ${dtype}; only ${Object.keys(TYPES).join(' and ')} are written`);
  return type;
}

const bytesOf = ({ data }: StateTensor) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);

/** `numpy.savez`: a zip archive of stored .npy files. */
export function npzFile(state: NamedState): Buffer {
  const entries: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, tensor] of state) {
    const file = Buffer.from(`${name}.npy`);
    const data = npyFile(typeOf(name, tensor).descr, tensor);
    // Version, flags, method, time, the first day that zip knows, checksum, both sizes and the length of the name.
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x21, 8);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(file.length, 22);
    entries.push(Buffer.from('PK\x03\x04', 'latin1'), common, file, data);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), common, place, file);
    offset += 4 + common.length + file.length + data.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(state.size, 8);
  end.writeUInt16LE(state.size, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...entries, list, end]);
}

/** An array of NumPy's format 1.0; its header ends where elements are aligned to 64 bytes. */
function npyFile(descr: string, tensor: StateTensor): Buffer {
  const shape = tensor.shape.map((size) => `${size},`).join(' ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const head = Buffer.from('\x93NUMPY\x01\x00\x00\x00', 'latin1');
  head.writeUInt16LE(length, 8);
  return Buffer.concat([head, Buffer.from(`${text.padEnd(length - 1)}\n`), bytesOf(tensor)]);
}

/** A model of ONNX that is nothing but its initialisers: `ModelProto { ir_version, graph { initializer } }`. */
export function onnxFile(state: NamedState): Uint8Array {
  const tensors = [...state].map(([name, tensor]) =>
    messageField(5, [
      ...tensor.shape.map((size) => intField(1, size)),
      intField(2, typeOf(name, tensor).onnx),
      bytesField(8, name),
      bytesField(9, bytesOf(tensor)),
    ]),
  );
  return toBytes(message([intField(1, 10), messageField(7, tensors)]));
}
