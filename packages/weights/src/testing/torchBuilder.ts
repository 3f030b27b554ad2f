import { TorchFileError } from '../torch/errors.ts';
import { global, int, type Part, pickleOf, program, string, tuple } from './pickleBuilder.ts';
import { joined } from './zipBuilder.ts';

/** The error that `run` throws, which must be ours. */
export function torchErrorOf(run: () => unknown): TorchFileError {
  try {
    run();
  } catch (error) {
    if (error instanceof TorchFileError) return error;
    throw error;
  }
  throw new Error('expected a TorchFileError, nothing was thrown');
}

/** A legacy stream around a pickle. */
export function legacyOf(object: Uint8Array, keys: Uint8Array, ...storages: Uint8Array[]): Uint8Array {
  const magic = pickleOf(Uint8Array.of(0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19));
  const machine = pickleOf('EMPTY_DICT', string('little_endian'), 'NEWTRUE', 'SETITEM');
  return joined(magic, pickleOf(int(1001)), machine, object, keys, ...storages);
}
export const legacyStorage = (key: string, elements: number, part: Part = 'NONE') =>
  program(
    tuple(string('storage'), global('torch', 'FloatStorage'), string(key), string('cpu'), int(elements), part),
    'BINPERSID',
  );
export const keyList = (...keys: string[]) =>
  pickleOf('EMPTY_LIST', ...keys.map((key) => program(string(key), 'APPEND')));
/** The number of elements, and four bytes each. */
export const legacyData = (elements: number, claimed = elements) =>
  joined(Uint8Array.of(claimed, 0, 0, 0, 0, 0, 0, 0), new Uint8Array(4 * elements));
