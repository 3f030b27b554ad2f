import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { parseSafetensors, type SafetensorsFile, type StateTensor } from '@saccade/weights';
import * as tf from '@tensorflow/tfjs-core';
import { GoldenError } from './errors.ts';

/** A golden file: tensors and the configuration that they were computed with. It remembers which tensors were asked for. */
export class Golden {
  readonly path: string;
  readonly #file: SafetensorsFile;
  readonly #used = new Set<string>();

  constructor(path: string, file: SafetensorsFile) {
    this.path = path;
    this.#file = file;
  }

  static async open(path: string): Promise<Golden> {
    return new Golden(path, parseSafetensors(await readFile(path)));
  }

  get name(): string {
    return basename(this.path);
  }

  /** Another file of the same folder. */
  sibling(name: string): Promise<Golden> {
    return Golden.open(join(dirname(this.path), basename(name)));
  }

  /** Tensors that nobody has asked for: a replay that leaves some has not compared everything. */
  get unused(): readonly string[] {
    return this.#file.names.filter((name) => !this.#used.has(name));
  }

  has(name: string): boolean {
    return this.#file.has(name);
  }

  /** Names that begin with `prefix`, without it. */
  names(prefix: string): string[] {
    return this.#file.names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  }

  get(name: string): StateTensor {
    this.#used.add(name);
    return this.#file.get(name);
  }

  /** A float tensor on the backend in use: the caller's to dispose. */
  tensor<T extends tf.Tensor>(name: string): T {
    const { shape, data } = this.get(name);
    return tf.tensor(data as Float32Array, [...shape], 'float32') as T;
  }

  /** Class indices of all samples, from 64-bit integers. */
  labels(name: string): Int32Array {
    return Int32Array.from(this.get(name).data as BigInt64Array, Number);
  }

  /** The tensors under `prefix` by the rest of their names: a state dict. */
  state(prefix: string): Map<string, StateTensor> {
    return new Map(this.names(prefix).map((name) => [name, this.get(prefix + name)]));
  }

  /** The configuration. */
  get keys(): readonly string[] {
    return [...this.#file.metadata.keys()];
  }

  states(key: string): boolean {
    return this.#file.metadata.has(key);
  }

  text(key: string): string {
    const value = this.#file.metadata.get(key);
    if (value === undefined) throw new GoldenError(`its metadata does not state "${key}"`);
    return value;
  }

  /** Numbers separated by commas. */
  numbers(key: string): number[] {
    const values = this.text(key).split(',').map(Number);
    if (values.some((value) => !Number.isFinite(value))) {
      throw new GoldenError(`its metadata states "${key}" as "${this.text(key)}": expected numbers`);
    }
    return values;
  }

  number(key: string): number {
    const [value, ...more] = this.numbers(key) as [number, ...number[]];
    if (more.length > 0)
      throw new GoldenError(`its metadata states ${more.length + 1} numbers as "${key}": expected one`);
    return value;
  }

  /** The safetensors file that a note names first: `base.safetensors (all other weights)`. */
  mentionedFile(key: string): Promise<Golden> {
    const found = /\S+\.safetensors/.exec(this.text(key))?.[0];
    if (found === undefined) throw new GoldenError(`its metadata names no file as "${key}"`);
    return this.sibling(found);
  }
}
