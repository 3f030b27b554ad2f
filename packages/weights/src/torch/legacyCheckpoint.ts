import { PickleError } from '../pickle/errors.ts';
import { MAX_PICKLE_BYTES, type PickleVocabulary, unpickle } from '../pickle/unpickle.ts';
import { isTuple, type PickleValue, typeNameOf } from '../pickle/values.ts';
import type { Reading } from '../source/reading.ts';
import { quote } from '../weightsError.ts';
import type { Checkpoint } from './checkpoint.ts';
import { TorchFileError } from './errors.ts';
import { TorchStorage } from './objects.ts';
import { byteCount, storageKey, storageReference } from './persistentId.ts';
import { torchVocabulary } from './vocabulary.ts';

const MAGIC = 0x1950a86a20f9469cfc6cn;
/** PROTO, any; LONG1, 10 bytes: the magic number. */
const MAGIC_BYTES = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const PROTOCOL = 1001;
/** Bytes of the number of elements in front of each storage. */
const COUNT_BYTES = 8;
/** The pickles of most files fit in here; where they do not, four times as much is read, and so on. */
const FIRST_BYTES = 2 ** 18;

export function startsLegacy(head: Uint8Array): boolean {
  return head[0] === 0x80 && head[2] === 0x8a && head[3] === 10 && MAGIC_BYTES.every((byte, i) => head[4 + i] === byte);
}

/**
 * Opens the stream that torch.save wrote before PyTorch 1.6: five pickles (a magic number, the protocol, the machine,
 * the object, the keys of the storages), and behind them each storage with its number of elements in front.
 *
 * @throws TorchFileError, PickleError
 */
export function* openLegacy(size: number): Reading<Checkpoint> {
  const most = Math.min(size, MAX_PICKLE_BYTES + FIRST_BYTES);
  let length = Math.min(size, FIRST_BYTES);
  for (;;) {
    const head = yield [0, length];
    try {
      return readLegacy(head, size);
    } catch (error) {
      const incomplete = error instanceof PickleError && error.code === 'Truncated' && length < most;
      if (!incomplete) throw error;
      length = Math.min(most, length * 4);
    }
  }
}

/** Pickles that contain nothing but numbers and text. */
const PLAIN: PickleVocabulary = {
  find: (module, name) => {
    throw new PickleError('InvalidPickle', `the beginning of the file asks for ${module}.${name}.`, {});
  },
  persistent: () => {
    throw new PickleError('InvalidPickle', 'the beginning of the file refers to a storage.');
  },
};

function readLegacy(head: Uint8Array, size: number): Checkpoint {
  const made = new Map<string, TorchStorage>();
  let at = 0;
  const next = (vocabulary = PLAIN): PickleValue => {
    const { value, end } = unpickle(head, vocabulary, at);
    at = end;
    return value;
  };
  const [magic, protocol, machine] = [next(), next(), next()];
  if (magic !== MAGIC || protocol !== PROTOCOL || !(machine instanceof Map)) {
    throw new TorchFileError(
      'UnsupportedFormat',
      `the file begins like one of torch.save, but its protocol is ${String(protocol)} and not ${PROTOCOL}. Save it anew.`,
    );
  }
  const root = next(torchVocabulary((id) => storageOf(id, made)));
  const starts = place(next(), made, at, size);
  const checked = new Set<string>();
  const locate = function* (storage: TorchStorage): Reading<number> {
    if (storage.base !== undefined) return (yield* locate(storage.base.storage)) + storage.base.byteOffset;
    const start = starts.get(storage.key)!;
    if (!checked.has(storage.key)) {
      const count = yield [start - COUNT_BYTES, start];
      const elements = new DataView(count.buffer, count.byteOffset).getBigUint64(0, true);
      if (elements !== BigInt(storage.byteLength / storage.type.width)) {
        throw new TorchFileError(
          'InvalidCheckpoint',
          `storage ${quote(storage.key)} is said to have ${storage.byteLength / storage.type.width} elements, the storage ` +
            `itself says ${elements}. The file is damaged: download it again.`,
        );
      }
      checked.add(storage.key);
    }
    return start;
  };
  return {
    container: 'legacy',
    root,
    size,
    // These files are little-endian, whichever machine wrote them.
    bigEndian: false,
    locate,
    *verify(onBytes) {
      for (const storage of made.values()) {
        yield* locate(storage);
        if (storage.base === undefined) onBytes(storage.byteLength);
      }
    },
  };
}

function storageOf(id: PickleValue, made: Map<string, TorchStorage>): TorchStorage {
  const { type, key, byteLength, part } = storageReference(id, 6);
  const storage = remember(made, new TorchStorage(key, type, byteLength));
  if (part === null) return storage;
  if (!isTuple(part) || part.length !== 3) {
    throw new PickleError('InvalidPickle', `a part of a storage is described by ${typeNameOf(part)}.`);
  }
  const byteOffset = byteCount(part[1], type.width);
  const partLength = byteCount(part[2], type.width);
  if (byteOffset + partLength > byteLength) {
    throw new TorchFileError('InvalidCheckpoint', `a part of storage ${quote(key)} reaches beyond its end.`);
  }
  return remember(made, new TorchStorage(storageKey(part[0]), type, partLength, { storage, byteOffset }));
}

/** The storage of that key which is there already, if it is the same. */
function remember(made: Map<string, TorchStorage>, storage: TorchStorage): TorchStorage {
  const known = made.get(storage.key);
  if (known === undefined) {
    made.set(storage.key, storage);
    return storage;
  }
  const same =
    known.type === storage.type &&
    known.byteLength === storage.byteLength &&
    known.base?.storage === storage.base?.storage &&
    known.base?.byteOffset === storage.base?.byteOffset;
  if (same) return known;
  throw new TorchFileError('InvalidCheckpoint', `storage ${quote(storage.key)} is described in two ways.`);
}

/** Where each storage begins. Together they must fill the file to its last byte. */
function place(
  keys: PickleValue,
  made: ReadonlyMap<string, TorchStorage>,
  firstByte: number,
  size: number,
): Map<string, number> {
  const starts = new Map<string, number>();
  let at = firstByte;
  for (const key of Array.isArray(keys) ? (keys as readonly PickleValue[]) : []) {
    const storage = made.get(storageKey(key));
    if (storage === undefined || storage.base !== undefined || starts.has(storage.key)) {
      throw new TorchFileError('InvalidCheckpoint', `it stores ${quote(String(key))}, which no tensor uses, or twice.`);
    }
    starts.set(storage.key, at + COUNT_BYTES);
    at += COUNT_BYTES + storage.byteLength;
  }
  const missing = [...made.values()].find(({ key, base }) => base === undefined && !starts.has(key));
  if (missing !== undefined) {
    throw new TorchFileError(
      'InvalidCheckpoint',
      `storage ${quote(missing.key)} is not in the file. Download it again.`,
    );
  }
  if (at !== size) {
    throw new TorchFileError(
      'InvalidCheckpoint',
      `its storages end at byte ${at}, the file at byte ${size}. ` +
        (at > size ? 'It is cut short: download it again.' : 'Something else was appended to it.'),
    );
  }
  return starts;
}
