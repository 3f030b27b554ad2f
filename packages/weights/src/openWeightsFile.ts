import { dirname, join } from 'node:path';
import { type OpenWeightsOptions, openWeights } from './open.ts';
import { type FileSource, openFile } from './source/openFile.ts';
import type { StateTensor } from './stateTensor.ts';
import type { ReadOptions, TensorInfo, WeightsFile, WeightsFormat } from './weightsFile.ts';

/** A file of weights on disk, with the files beside it that belong to it. They stay open until {@link close}. */
export class OpenedWeightsFile implements WeightsFile, AsyncDisposable {
  /** The file as its format's own reader gives it. */
  readonly file: WeightsFile;
  /** The files that are open: the one that was asked for, and its shards. */
  readonly paths: readonly string[];
  readonly #sources: readonly FileSource[];

  constructor(file: WeightsFile, sources: readonly FileSource[]) {
    this.file = file;
    this.paths = sources.map(({ path }) => path);
    this.#sources = sources;
  }

  get format(): WeightsFormat {
    return this.file.format;
  }

  get metadata(): ReadonlyMap<string, string> {
    return this.file.metadata;
  }

  get names(): readonly string[] {
    return this.file.names;
  }

  has(name: string): boolean {
    return this.file.has(name);
  }

  info(name: string): TensorInfo {
    return this.file.info(name);
  }

  async get(name: string): Promise<StateTensor> {
    return await this.file.get(name);
  }

  async bytes(name: string): Promise<Uint8Array> {
    return await this.file.bytes(name);
  }

  async toStateDict(options?: ReadOptions): Promise<Map<string, StateTensor>> {
    return await this.file.toStateDict(options);
  }

  /** Closes all files. Closing twice does no harm. */
  async close(): Promise<void> {
    await Promise.all(this.#sources.map((source) => source.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/**
 * Opens a file of weights on disk, of any format; see {@link openWeights}. Files that it names are looked for in its own
 * folder and those below, and nowhere else; symbolic links that lie there are followed.
 *
 * @throws as openWeights; SourceError IoError if the file cannot be opened
 * @example
 * await using file = await openWeightsFile('model.safetensors.index.json');
 * const { shape, data } = await file.get('head.weight');
 */
export async function openWeightsFile(path: string, options: OpenWeightsOptions = {}): Promise<OpenedWeightsFile> {
  const sources: FileSource[] = [];
  const opened = async (at: string): Promise<FileSource> => {
    const source = await openFile(at);
    sources.push(source);
    return source;
  };
  const beside = (name: string) => opened(join(dirname(path), ...name.split('/')));
  try {
    const file = await openWeights(await opened(path), { ...options, resolve: options.resolve ?? beside });
    return new OpenedWeightsFile(file, sources);
  } catch (error) {
    await Promise.all(sources.map((source) => source.close()));
    throw error;
  }
}
