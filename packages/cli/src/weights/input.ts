import { type ByteSource, openWeights, type SourceInput, type StateOptions, type WeightsFile } from '@saccade/weights';
import { fetchWeights, openFile, openWeightsFile } from '@saccade/weights/node';
import { UsageError } from '../terminal/failure.ts';
import { withProgress } from '../terminal/progress.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Options of all commands that read a file of weights. */
export interface InputOptions {
  readonly key?: string;
  /** false: `--keep-prefixes` */
  readonly keepPrefixes?: boolean;
}

/** A file of weights that is open. */
export interface Input extends AsyncDisposable {
  readonly file: WeightsFile;
  /** the file itself: of several shards, the one that names the others */
  readonly source: Blob | ByteSource;
}

/**
 * Opens a path, or fetches a URL or an `hf:` reference and opens that.
 *
 * @throws UsageError if there is no such path; what opening and fetching throw
 */
export async function openInput(
  reference: string,
  { key, keepPrefixes = false }: InputOptions,
  terminal: Terminal,
): Promise<Input> {
  const torch: StateOptions = { ...(key === undefined ? {} : { key: pathOf(key) }), stripPrefixes: !keepPrefixes };
  if (isRemote(reference)) {
    const source = await fetched(reference, terminal);
    const resolve = (name: string): Promise<SourceInput> => fetched(siblingOf(reference, name), terminal);
    return {
      file: await openWeights(source, { torch, resolve }),
      source,
      [Symbol.asyncDispose]: async () => undefined,
    };
  }
  const source = await openFile(reference).catch((error: unknown) => {
    throw isMissing(error) ? new UsageError(`there is no file ${reference}.`) : error;
  });
  try {
    const file = await openWeightsFile(reference, { torch });
    return {
      file: file.file,
      source,
      [Symbol.asyncDispose]: async () => {
        await Promise.all([file.close(), source.close()]);
      },
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** `model.state_dict` names a path of keys; `.` the outermost dictionary. */
function pathOf(key: string): string[] {
  return key === '.' ? [] : key.split('.');
}

function isRemote(reference: string): boolean {
  return /^(https?:\/\/|hf:)/.test(reference);
}

async function fetched(reference: string, terminal: Terminal): Promise<Blob | ByteSource> {
  const { signal } = terminal;
  return await withProgress(terminal, 'fetch', async ({ update }) => {
    const onProgress = ({ received, total }: { received: number; total: number | undefined }) =>
      update(received, total);
    return (await fetchWeights(reference, { signal, onProgress })).source;
  });
}

/** The reference to a file that lies beside another. */
function siblingOf(reference: string, name: string): string {
  if (!reference.startsWith('hf:'))
    return new URL(`./${name.split('/').map(encodeURIComponent).join('/')}`, reference).href;
  const at = reference.lastIndexOf('@');
  const [path, revision] = at === -1 ? [reference, ''] : [reference.slice(0, at), reference.slice(at)];
  return `${path.slice(0, path.lastIndexOf('/') + 1)}${name}${revision}`;
}

function isMissing(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}
