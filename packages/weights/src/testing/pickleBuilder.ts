import { OPCODES } from '../pickle/opcodes.ts';
import { latin1 } from './bytes.ts';
import { joined, type TestArchive, type TestEntry, zipOf } from './zipBuilder.ts';

/** An instruction: its name alone, or bytes as they stand. */
export type Part = keyof typeof OPCODES | Uint8Array;

const uint32 = (value: number) => Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);

export const string = (text: string): Uint8Array => {
  const bytes = new TextEncoder().encode(text);
  return joined(Uint8Array.of(OPCODES.BINUNICODE), uint32(bytes.length), bytes);
};
export const global = (module: string, name: string): Uint8Array => latin1(`c${module}\n${name}\n`);
export const int = (value: number): Uint8Array => joined(Uint8Array.of(OPCODES.BININT), uint32(value));
export const put = (index: number): Uint8Array => Uint8Array.of(OPCODES.BINPUT, index);
export const get = (index: number): Uint8Array => Uint8Array.of(OPCODES.BINGET, index);
export const tuple = (...parts: Part[]): Uint8Array => program('MARK', ...parts, 'TUPLE');

/** Instructions one after the other, with nothing around them. */
export function program(...parts: Part[]): Uint8Array {
  return joined(...parts.map((part) => (typeof part === 'string' ? Uint8Array.of(OPCODES[part]) : part)));
}

/** A whole pickle of protocol 2. */
export function pickleOf(...parts: Part[]): Uint8Array {
  return program('PROTO', Uint8Array.of(2), ...parts, 'STOP');
}

/** The persistent id of a storage in a zip file. */
export function storage(
  key: string,
  elements: number | Uint8Array,
  storageClass = global('torch', 'FloatStorage'),
): Uint8Array {
  const count = typeof elements === 'number' ? int(elements) : elements;
  return program(tuple(string('storage'), storageClass, string(key), string('cpu'), count), 'BINPERSID');
}

/** A call of _rebuild_tensor_v2. */
export function tensor(from: Uint8Array, offset: Part, shape: Part, stride: Part, ...metadata: Part[]): Uint8Array {
  const rebuild = global('torch._utils', '_rebuild_tensor_v2');
  const hooks = program(global('collections', 'OrderedDict'), 'EMPTY_TUPLE', 'REDUCE');
  return program(rebuild, tuple(from, offset, shape, stride, 'NEWFALSE', hooks, ...metadata), 'REDUCE');
}

/** A dict of one tensor, as a whole pickle. */
export const stateOf = (value: Uint8Array): Uint8Array => pickleOf('EMPTY_DICT', string('w'), value, 'SETITEM');

/** A file of torch.save around a pickle and its storages. */
export function torchZip(
  pickle: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  more: readonly TestEntry[] = [],
  archive?: TestArchive,
): Uint8Array<ArrayBuffer> {
  const data = Object.entries(storages).map(([key, bytes]) => ({ name: `archive/data/${key}`, bytes }));
  const version = { name: 'archive/version', bytes: latin1('3\n') };
  return zipOf([{ name: 'archive/data.pkl', bytes: pickle }, ...data, ...more, version], archive);
}
