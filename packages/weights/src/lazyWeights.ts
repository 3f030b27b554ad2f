import { nearNames } from './safetensors/nearNames.ts';
import { STORED_TYPE_BY_DTYPE } from './safetensors/storedTypes.ts';
import type { Dtype, StateTensor } from './stateTensor.ts';
import { quote, type WeightsError } from './weightsError.ts';
import { type ReadOptions, readAll, type TensorInfo, type WeightsFile, type WeightsFormat } from './weightsFile.ts';

/** A tensor that lies somewhere, and how to read it. */
export interface LazyTensor extends TensorInfo {
  /** Its elements: row-major, little-endian, `byteLength` bytes. @throws the error type of the format */
  read(): Promise<Uint8Array>;
}

/** Makes the errors of a format that {@link LazyWeights} throws. */
export type LazyFailure = (
  code: 'TensorNotFound' | 'UnsupportedDtype' | 'TooLarge',
  message: string,
  options?: LazyFailureOptions,
) => WeightsError;

/** For TensorNotFound: the name that was asked for, and similar ones. */
export interface LazyFailureOptions extends ErrorOptions {
  readonly tensorName?: string;
  readonly nearNames?: readonly string[];
}

/** What was found in a file. */
export interface LazyContents {
  readonly format: WeightsFormat;
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, LazyTensor>;
  /** Names of what is there and is not read, with the reasons. */
  readonly ignored: ReadonlyMap<string, string>;
  /** The most bytes that all tensors together may take: a small file may describe the same bytes many times. */
  readonly limit: number;
  readonly failure: LazyFailure;
}

/** A file of which the list of tensors was read. Each call of `get` and `bytes` reads anew. */
export class LazyWeights implements WeightsFile {
  readonly #contents: LazyContents;
  /** Names of all tensors, in the order of the file. */
  readonly names: readonly string[];
  /** Names of what is in the file and is not read. `info` and `get` say why. */
  readonly ignored: readonly string[];

  constructor(contents: LazyContents) {
    this.#contents = contents;
    this.names = Object.freeze([...contents.tensors.keys()]);
    this.ignored = Object.freeze([...contents.ignored.keys()]);
  }

  get format(): WeightsFormat {
    return this.#contents.format;
  }

  get metadata(): ReadonlyMap<string, string> {
    return this.#contents.metadata;
  }

  has(name: string): boolean {
    return this.#contents.tensors.has(name);
  }

  /** @throws the error type of the format: TensorNotFound; UnsupportedDtype for a name in {@link ignored} */
  info(name: string): TensorInfo {
    const { dtype, shape, byteLength } = this.#tensor(name);
    return { dtype, shape, byteLength };
  }

  /** Reads one tensor. @throws the error type of the format; an abort of the source passes unchanged */
  async get(name: string): Promise<StateTensor> {
    const tensor = this.#tensor(name);
    const { dtype, shape } = tensor;
    const carrier = STORED_TYPE_BY_DTYPE.get(dtype)?.carrier;
    if (carrier === undefined) {
      throw this.#contents.failure(
        'UnsupportedDtype',
        `${quote(name)} has dtype ${dtype}, which no JavaScript array carries. Read its raw bytes with bytes(), or ` +
          'convert it before saving.',
      );
    }
    const elements = await this.#read(name, tensor);
    return { dtype: dtype as Dtype, shape, data: this.#allocating(name, () => carrier.view(elements)) };
  }

  /** Reads the elements of a tensor of any dtype as little-endian bytes in row-major order. @throws as {@link get} */
  async bytes(name: string): Promise<Uint8Array> {
    return await this.#read(name, this.#tensor(name));
  }

  /** Reads all tensors, one after the other. @throws as {@link get}, TooLarge; the signal's reason if aborted */
  async toStateDict(options?: ReadOptions): Promise<Map<string, StateTensor>> {
    const { tensors, limit, failure } = this.#contents;
    let total = 0;
    for (const { byteLength } of tensors.values()) total += byteLength;
    if (total > limit) {
      throw failure(
        'TooLarge',
        `its ${tensors.size} tensors would take ${total} bytes, far more than the file has: many of them are made of the ` +
          'same bytes. Read those you need one by one.',
      );
    }
    return await readAll(this, options);
  }

  async #read(name: string, tensor: LazyTensor): Promise<Uint8Array> {
    try {
      return await tensor.read();
    } catch (error) {
      throw error instanceof RangeError ? this.#unallocated(name, error) : error;
    }
  }

  #allocating<T>(name: string, make: () => T): T {
    try {
      return make();
    } catch (error) {
      throw error instanceof RangeError ? this.#unallocated(name, error) : error;
    }
  }

  /** Arrays of gigabytes may be more than a browser can hold, though the file is right. */
  #unallocated(name: string, cause: RangeError): WeightsError {
    return this.#contents.failure('TooLarge', `${quote(name)} could not be allocated.`, { cause });
  }

  #tensor(name: string): LazyTensor {
    const { tensors, ignored, failure } = this.#contents;
    const tensor = tensors.get(name);
    if (tensor !== undefined) return tensor;
    const reason = ignored.get(name);
    if (reason !== undefined) throw failure('UnsupportedDtype', reason);
    const near = nearNames(name, this.names);
    const hint = near.length > 0 ? `Did you mean ${near.map(quote).join(' or ')}?` : 'The property `names` lists them.';
    throw failure('TensorNotFound', `no tensor ${quote(name)} among the ${this.names.length} in this file. ${hint}`, {
      tensorName: name,
      nearNames: near,
    });
  }
}
