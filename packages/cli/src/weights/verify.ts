import { createHash } from 'node:crypto';
import { type ByteSource, openTorch, type WeightsFile } from '@saccade/weights';
import { CommandFailure, UsageError } from '../terminal/failure.ts';
import { withProgress } from '../terminal/progress.ts';
import { counted, print, printable, type Terminal } from '../terminal/terminal.ts';
import { compare } from './compare.ts';
import { type Input, type InputOptions, openInput } from './input.ts';
import { countNonFinite } from './values.ts';

export interface VerifyOptions extends InputOptions {
  readonly sha256?: string;
  readonly against?: string;
  readonly tolerance?: number;
  readonly allowNonFinite?: boolean;
}

/** One thing that was looked at. */
interface Finding {
  readonly about: string;
  readonly ok: boolean;
  readonly says: string;
}

/** `saccade weights verify` */
export async function verify(reference: string, options: VerifyOptions, terminal: Terminal): Promise<void> {
  const expected = options.sha256?.toLowerCase();
  if (expected !== undefined && !/^[0-9a-f]{8,64}$/.test(expected)) {
    throw new UsageError(`--sha256 takes 8 to 64 hexadecimal digits, got ${options.sha256}.`);
  }
  if (options.tolerance !== undefined && options.against === undefined) {
    throw new UsageError('--tolerance is about --against: name the other file.');
  }
  await using input = await openInput(reference, options, terminal);
  const { file } = input;
  const findings: Finding[] = [
    { about: 'structure', ok: true, says: `${file.format}, ${counted(file.names.length, 'tensor')}` },
    ...(file.format === 'torch' ? [await checksums(input, terminal)] : []),
    ...(await readValues(file, options.allowNonFinite ?? false, terminal)),
    ...(expected === undefined ? [] : [await hash(input.source, expected, terminal)]),
  ];
  if (options.against !== undefined) {
    await using other = await openInput(options.against, options, terminal);
    const differences = await compare(file, other.file, options.tolerance, terminal);
    findings.push({
      about: 'against',
      ok: differences.length === 0,
      says:
        differences.length === 0
          ? `${file.names.length} tensors are ${options.tolerance === undefined ? 'equal, bit for bit' : `equal within ${options.tolerance}`}`
          : listed(differences, 'differ'),
    });
  }
  const width = Math.max(...findings.map(({ about }) => about.length));
  print(terminal, ...findings.map(({ about, ok, says }) => `${ok ? 'ok  ' : 'FAIL'}  ${about.padEnd(width)}  ${says}`));
  const failed = findings.filter(({ ok }) => !ok);
  if (failed.length > 0)
    throw new CommandFailure(`${reference}: ${failed.map(({ about }) => about).join(', ')} failed.`);
}

/** The checksums that a zip file has of its parts; older files have none. */
async function checksums({ source }: Input, terminal: Terminal): Promise<Finding> {
  const { signal } = terminal;
  const checkpoint = await openTorch(source);
  await withProgress(terminal, 'checksums', ({ update }) =>
    checkpoint.verify({ signal, onProgress: ({ done, total }) => update(done, total) }),
  );
  const says = checkpoint.container === 'zip' ? 'all parts have theirs' : 'none in a file from before PyTorch 1.6';
  return { about: 'checksums', ok: true, says };
}

async function readValues(file: WeightsFile, allowNonFinite: boolean, terminal: Terminal): Promise<Finding[]> {
  const total = file.names.reduce((sum, name) => sum + file.info(name).byteLength, 0);
  const bad: string[] = [];
  const opaque: string[] = [];
  await withProgress(terminal, 'read', async ({ update }) => {
    let done = 0;
    for (const name of file.names) {
      terminal.signal.throwIfAborted();
      const { dtype, byteLength } = file.info(name);
      const count = await countIn(file, name);
      if (count === undefined) opaque.push(`${name} (${dtype})`);
      else if (count > 0) bad.push(`${name} (${count.toLocaleString('en-US')})`);
      done += byteLength;
      update(done, total);
    }
  });
  return [
    {
      about: 'values',
      ok: bad.length === 0 || allowNonFinite,
      says: bad.length === 0 ? 'all could be read, all are finite' : listed(bad, 'have NaN or infinite values'),
    },
    ...(opaque.length === 0
      ? []
      : [{ about: 'dtypes', ok: true, says: listed(opaque, 'are of dtypes of which only the bytes were read') }]),
  ];
}

/** How many values are not finite; undefined for a dtype that no array carries. */
async function countIn(file: WeightsFile, name: string): Promise<number | undefined> {
  try {
    return countNonFinite((await file.get(name)).data);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'UnsupportedDtype')) throw error;
    await file.bytes(name);
    return undefined;
  }
}

const CHUNK_BYTES = 8 * 2 ** 20;

async function hash(source: Blob | ByteSource, expected: string, terminal: Terminal): Promise<Finding> {
  const { size } = source;
  const sha256 = createHash('sha256');
  await withProgress(terminal, 'sha256', async ({ update }) => {
    for (let start = 0; start < size; start += CHUNK_BYTES) {
      terminal.signal.throwIfAborted();
      const end = Math.min(size, start + CHUNK_BYTES);
      sha256.update(
        'read' in source
          ? new Uint8Array(await source.read(start, end))
          : new Uint8Array(await source.slice(start, end).arrayBuffer()),
      );
      update(end, size);
    }
  });
  const found = sha256.digest('hex');
  const ok = found.startsWith(expected);
  return { about: 'sha256', ok, says: ok ? found : `${found}, expected ${expected}` };
}

const LISTED = 5;

function listed(items: readonly string[], what: string): string {
  const more = items.length > LISTED ? `, and ${items.length - LISTED} more` : '';
  return `${items.length} ${what}: ${items.slice(0, LISTED).map(printable).join(', ')}${more}`;
}
