import { MAX_PICKLE_BYTES, unpickle } from '../pickle/unpickle.ts';
import type { PickleValue } from '../pickle/values.ts';
import type { Reading } from '../source/reading.ts';
import { quote } from '../weightsError.ts';
import { crc32 } from '../zip/crc32.ts';
import { readZipDirectory, type ZipDirectory, type ZipEntry } from '../zip/directory.ts';
import { checkSum, locateEntry, verifyStored } from '../zip/entry.ts';
import type { Checkpoint } from './checkpoint.ts';
import { TorchFileError } from './errors.ts';
import { foreignArchive } from './foreignFormat.ts';
import { TorchStorage } from './objects.ts';
import { storageReference } from './persistentId.ts';
import { torchVocabulary } from './vocabulary.ts';

/** The newest version of the container that PyTorch 2 writes is 10. */
const NEWEST_VERSION = 10;

/**
 * Opens the archive that torch.save writes since PyTorch 1.6: one folder with the pickle `data.pkl`, a file
 * `data/<key>` for each storage, and the small files `version` and `byteorder`.
 *
 * @throws TorchFileError, PickleError, ZipError
 */
export function* openZipCheckpoint(size: number): Reading<Checkpoint> {
  const directory = yield* readZipDirectory(size);
  const folder = folderOf(directory);
  const version = yield* readText(directory.get(`${folder}version`) ?? directory.get(`${folder}.data/version`));
  if (version !== undefined && !(Number(version) >= 1 && Number(version) <= NEWEST_VERSION)) {
    throw new TorchFileError(
      'UnsupportedFormat',
      `the container is of version ${quote(version)}, versions 1 to ${NEWEST_VERSION} are known. Save it as safetensors.`,
    );
  }
  const byteOrder = (yield* readText(directory.get(`${folder}byteorder`))) ?? 'little';
  if (byteOrder !== 'little' && byteOrder !== 'big') {
    throw new TorchFileError('InvalidCheckpoint', `its byte order is ${quote(byteOrder)}; expected "little" or "big".`);
  }
  const storages = new Storages(directory, folder);
  const root = readPickle(yield* readSmall(directory.get(`${folder}data.pkl`)!, MAX_PICKLE_BYTES), storages);
  return {
    container: 'zip',
    root,
    size,
    bigEndian: byteOrder === 'big',
    locate: (storage) => storages.locate(storage),
    *verify(onBytes) {
      for (const entry of directory.values()) onBytes(yield* verifyStored(entry));
    },
  };
}

function readPickle(bytes: Uint8Array, storages: Storages): PickleValue {
  const { value, end } = unpickle(
    bytes,
    torchVocabulary((id) => storages.storage(id)),
  );
  if (end !== bytes.byteLength) {
    throw new TorchFileError('InvalidCheckpoint', `${bytes.byteLength - end} bytes follow the end of its pickle.`);
  }
  return value;
}

/** The storages of one archive, each made once and located once. */
class Storages {
  readonly #directory: ZipDirectory;
  readonly #folder: string;
  readonly #made = new Map<string, TorchStorage>();
  readonly #starts = new Map<string, number>();

  constructor(directory: ZipDirectory, folder: string) {
    this.#directory = directory;
    this.#folder = folder;
  }

  /** The storage behind a persistent id. */
  storage(id: PickleValue): TorchStorage {
    const { className, type, key, byteLength } = storageReference(id, 5);
    const entry = this.#entry(key);
    if (entry.size < byteLength) {
      throw new TorchFileError(
        'InvalidCheckpoint',
        `storage ${quote(key)} is said to have ${byteLength} bytes, the file holds ${entry.size} of it.`,
      );
    }
    const identity = `${className} ${byteLength} ${key}`;
    let storage = this.#made.get(identity);
    if (storage === undefined) {
      storage = new TorchStorage(key, type, byteLength);
      this.#made.set(identity, storage);
    }
    return storage;
  }

  *locate({ key }: TorchStorage): Reading<number> {
    const known = this.#starts.get(key);
    if (known !== undefined) return known;
    const start = yield* locateEntry(this.#entry(key));
    this.#starts.set(key, start);
    return start;
  }

  #entry(key: string): ZipEntry {
    const entry = this.#directory.get(`${this.#folder}data/${key}`);
    if (entry === undefined) {
      throw new TorchFileError('InvalidCheckpoint', `storage ${quote(key)} is not in the file. Download it again.`);
    }
    return entry;
  }
}

/** The one folder in which everything lies, with a slash. */
function folderOf(directory: ZipDirectory): string {
  const names = [...directory.keys()];
  const folder = names[0]?.slice(0, names[0].indexOf('/') + 1) ?? '';
  if (names.some((name) => name === `${folder}constants.pkl` || name.startsWith(`${folder}code/`))) {
    throw new TorchFileError(
      'TorchScript',
      'this is a program in TorchScript (torch.jit.save), not weights, and programs are not run. Save its weights in ' +
        "PyTorch:\n  model = torch.jit.load('file.pt', map_location='cpu')\n" +
        "  torch.save(model.state_dict(), 'weights.pth')",
    );
  }
  if (folder === '' || !directory.has(`${folder}data.pkl`)) throw foreignArchive(names);
  const stray = names.find((name) => !name.startsWith(folder));
  if (stray !== undefined) {
    throw new TorchFileError(
      'InvalidCheckpoint',
      `${quote(stray)} lies outside of the folder ${quote(folder)}. torch.save writes one folder only.`,
    );
  }
  const compressed = [...directory.values()].find(({ method }) => method !== 0);
  if (compressed !== undefined) {
    throw new TorchFileError(
      'UnsupportedFormat',
      `${quote(compressed.name)} is compressed, which torch.save never does and which would let a small file fill the ` +
        'memory. Load and save the file in PyTorch, or zip its folder anew without compression (zip -0 -r).',
    );
  }
  return folder;
}

/** The most bytes of a file that holds one word. */
const LONGEST_TEXT = 64;

function* readText(entry: ZipEntry | undefined): Reading<string | undefined> {
  if (entry === undefined) return undefined;
  return String.fromCharCode(...(yield* readSmall(entry, LONGEST_TEXT))).trim();
}

function* readSmall(entry: ZipEntry, most: number): Reading<Uint8Array> {
  if (entry.size > most) {
    throw new TorchFileError(
      'UnsupportedFormat',
      `${quote(entry.name)} has ${entry.size} bytes, at most ${most} are read.`,
    );
  }
  const start = yield* locateEntry(entry);
  const bytes = yield [start, start + entry.size];
  checkSum(entry, crc32(bytes));
  return bytes;
}
