import type { Dtype, StateTensor } from '../stateTensor.ts';
import { quote, SafetensorsError, TensorNotFoundError } from './errors.ts';
import type { Header, TensorEntry } from './header.ts';
import { nearNames } from './nearNames.ts';
import type { Carrier, OpaqueDtype } from './storedTypes.ts';

/** What the header says about one tensor. */
export interface SafetensorsInfo {
  readonly dtype: Dtype | OpaqueDtype;
  readonly shape: readonly number[];
  /** Position of the first byte, from the start of the file. */
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** A checked header, addressed by tensor name: the part that whole files and lazily read files share. */
export class Directory {
  readonly metadata: ReadonlyMap<string, string>;
  readonly names: readonly string[];
  readonly #entries: ReadonlyMap<string, TensorEntry>;
  readonly #dataStart: number;

  constructor(header: Header, dataStart: number) {
    this.metadata = header.metadata;
    this.names = Object.freeze(header.entries.map(({ name }) => name));
    this.#entries = new Map(header.entries.map((entry) => [entry.name, entry]));
    this.#dataStart = dataStart;
  }

  has(name: string): boolean {
    return this.#entries.has(name);
  }

  /** @throws TensorNotFoundError */
  info(name: string): SafetensorsInfo {
    const entry = this.#entry(name);
    return {
      dtype: entry.type.dtype,
      shape: entry.shape,
      byteOffset: this.#dataStart + entry.begin,
      byteLength: entry.end - entry.begin,
    };
  }

  /**
   * How to read a tensor: where its bytes are, and what to make of them.
   *
   * @throws TensorNotFoundError; SafetensorsError UnsupportedDtype
   */
  plan(name: string): { start: number; end: number; decode: (bytes: Uint8Array) => StateTensor } {
    const { type, shape, begin, end } = this.#entry(name);
    const { carrier } = type;
    if (carrier === undefined) {
      throw new SafetensorsError(
        'UnsupportedDtype',
        `tensor ${quote(name)} has dtype ${type.code}, which no JavaScript array carries. ` +
          'Read its raw bytes with `bytes(name)`, or convert the checkpoint to another dtype.',
      );
    }
    const dtype = type.dtype as Dtype;
    return {
      start: this.#dataStart + begin,
      end: this.#dataStart + end,
      decode: (bytes) => ({ dtype, shape, data: carry(carrier, bytes, name) }),
    };
  }

  #entry(name: string): TensorEntry {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new TensorNotFoundError(name, nearNames(name, this.names), this.names.length);
    return entry;
  }
}

/** What a file says about its tensors before one is read: common to whole files and lazily read ones. */
export abstract class Listing {
  protected readonly directory: Directory;

  constructor(directory: Directory) {
    this.directory = directory;
  }

  /** The file's own notes (`__metadata__`), in the order of the file; empty if it has none. */
  get metadata(): ReadonlyMap<string, string> {
    return this.directory.metadata;
  }

  /** Names of all tensors, in the order of their bytes. */
  get names(): readonly string[] {
    return this.directory.names;
  }

  has(name: string): boolean {
    return this.directory.has(name);
  }

  /** @throws TensorNotFoundError */
  info(name: string): SafetensorsInfo {
    return this.directory.info(name);
  }
}

function carry(carrier: Carrier, bytes: Uint8Array, name: string): StateTensor['data'] {
  try {
    return carrier.view(bytes);
  } catch (cause) {
    // Decoding and realigning allocate; a tensor of gigabytes may be more than one array can hold here.
    throw new SafetensorsError(
      'ValidationOverflow',
      `tensor ${quote(name)} takes ${bytes.byteLength} bytes in the file, and its ${carrier.arrayName} could not be ` +
        'allocated. Read its raw bytes in parts instead.',
      { cause },
    );
  }
}
