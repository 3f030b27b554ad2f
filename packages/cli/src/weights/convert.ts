import { extname } from 'node:path';
import {
  addPrefix,
  applyKeyMap,
  type Dtype,
  invertKeyMap,
  joinKeyMaps,
  type KeyMap,
  KeyMapError,
  keyMap,
  type StateTensor,
  serializeTorch,
  streamSafetensors,
  stripPrefix,
  type TensorToWrite,
  type WeightsFile,
} from '@saccade/weights';
import prettyBytes from 'pretty-bytes';
import { checkTarget, writeAtomically } from '../terminal/atomicWrite.ts';
import { CommandFailure, UsageError } from '../terminal/failure.ts';
import { withProgress } from '../terminal/progress.ts';
import { counted, note, print, type Terminal } from '../terminal/terminal.ts';
import { type CastDtype, cast, castDtype } from './cast.ts';
import { type FitToModelOptions, fitToModel } from './fitToModel.ts';
import { type InputOptions, openInput } from './input.ts';
import { namePattern } from './namePattern.ts';

export interface ConvertOptions extends InputOptions, Omit<FitToModelOptions, 'map'> {
  readonly format?: 'safetensors' | 'torch';
  readonly dtype?: CastDtype;
  readonly only?: string;
  readonly stripPrefix?: string;
  readonly map?: string;
  readonly invertMap?: boolean;
  readonly addPrefix?: string;
  readonly metadata: ReadonlyMap<string, string>;
  readonly for?: string;
  readonly force?: boolean;
}

/** A tensor to be written, and its bytes in the input. */
interface Source extends TensorToWrite {
  readonly byteLength: number;
}

/** `saccade weights convert` */
export async function convert(
  reference: string,
  output: string,
  options: ConvertOptions,
  terminal: Terminal,
): Promise<void> {
  const format = options.format ?? formatOf(output);
  const maps = mapsOf(options);
  if (format === 'torch' && options.metadata.size > 0) {
    throw new UsageError('--metadata is for safetensors: files of PyTorch have no place for it.');
  }
  await checkTarget(output, options.force ?? false);
  await using input = await openInput(reference, options, terminal);
  const file = only(options.only, input.file);
  const { state, report } =
    options.for === undefined
      ? applyKeyMap(joinKeyMaps(...maps.before, ...maps.after), sourcesIn(file))
      : applyKeyMap(joinKeyMaps(...maps.after), await fittedSources(options.for, file, maps.before, options, terminal));
  if (report.oneWay.length > 0) {
    note(
      terminal,
      `note: ${report.oneWay.length} names, such as ${report.oneWay[0]}, are not found again by the map back.`,
    );
  }
  if (format === 'torch' && file.metadata.size > 0) {
    note(terminal, 'note: the metadata is left out: files of PyTorch have no place for it.');
  }
  const tensors = new Map([...state].map(([name, source]) => [name, casting(name, source, options.dtype)]));
  const total = [...state.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  const pieces =
    format === 'torch'
      ? torchPieces(tensors, terminal.signal)
      : streamSafetensors(tensors, new Map([...file.metadata, ...options.metadata]));
  const length = await withProgress(terminal, 'convert', ({ update }) =>
    writeAtomically(output, pieces, {
      replace: options.force ?? false,
      signal: terminal.signal,
      onProgress: (done) => update(done, Math.max(total, done)),
    }),
  );
  print(terminal, `${output}: ${format}, ${counted(tensors.size, 'tensor')}, ${prettyBytes(length, { binary: true })}`);
}

/** What this command asks of a file. */
type NamedFile = Pick<WeightsFile, 'names' | 'metadata' | 'info' | 'get'>;

/** The tensors whose names are of a form. @throws CommandFailure if there are none */
function only(pattern: string | undefined, file: WeightsFile): NamedFile {
  if (pattern === undefined) return file;
  const names = file.names.filter(namePattern(pattern));
  if (names.length === 0) throw new CommandFailure(`none of the ${file.names.length} names is of the form ${pattern}.`);
  return { names, metadata: file.metadata, info: (name) => file.info(name), get: (name) => file.get(name) };
}

/** @throws UsageError */
function formatOf(output: string): 'safetensors' | 'torch' {
  const extension = extname(output).toLowerCase();
  if (extension === '.safetensors') return 'safetensors';
  if (['.pth', '.pt', '.bin'].includes(extension)) return 'torch';
  throw new UsageError(`${output} could be any format. Name it .safetensors or .pth, or pass --format.`);
}

/** The maps that find the names of a model, and those that come after. @throws UsageError */
function mapsOf(options: ConvertOptions): { before: KeyMap[]; after: KeyMap[] } {
  if (options.invertMap && options.map === undefined) throw new UsageError('--invert-map is about --map: name one.');
  try {
    const named = options.map === undefined ? [] : [keyMap(options.map)];
    return {
      before: [
        ...(options.stripPrefix === undefined ? [] : [stripPrefix(options.stripPrefix)]),
        ...(options.invertMap ? named.map(invertKeyMap) : named),
      ],
      after: options.addPrefix === undefined ? [] : [addPrefix(options.addPrefix)],
    };
  } catch (error) {
    throw error instanceof KeyMapError ? new UsageError(error.message) : error;
  }
}

/** Of a dtype that cannot be written, the writer says so before it begins. */
function sourcesIn(file: NamedFile): Map<string, Source> {
  return new Map(
    file.names.map((name) => {
      const { dtype, shape, byteLength } = file.info(name);
      return [name, { dtype: dtype as Dtype, shape, byteLength, read: () => file.get(name) }];
    }),
  );
}

async function fittedSources(
  model: string,
  file: NamedFile,
  maps: readonly KeyMap[],
  options: ConvertOptions,
  terminal: Terminal,
): Promise<Map<string, Source>> {
  const map = maps.length === 0 ? undefined : joinKeyMaps(...maps);
  const state = await fitToModel(model, file, { ...options, map }, terminal);
  return new Map(
    [...state].map(([name, tensor]) => [
      name,
      { dtype: tensor.dtype, shape: tensor.shape, byteLength: tensor.data.byteLength, read: () => tensor },
    ]),
  );
}

/** A tensor as it is written: with another dtype, if one was asked for. */
function casting(name: string, { dtype, shape, read }: TensorToWrite, to: CastDtype | undefined): TensorToWrite {
  return { dtype: castDtype(dtype, to), shape, read: async () => cast(name, await read(), to) };
}

/** A file of PyTorch, which is made in memory. */
async function* torchPieces(
  tensors: ReadonlyMap<string, TensorToWrite>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const state = new Map<string, StateTensor>();
  for (const [name, tensor] of tensors) {
    signal.throwIfAborted();
    state.set(name, await tensor.read());
  }
  yield serializeTorch(state);
}
