import { keyLayoutOf, type LazyTorchStateDict, unwrapper, type WeightsFile } from '@saccade/weights';
import { markdownTable } from 'markdown-table';
import prettyBytes from 'pretty-bytes';
import { CommandFailure } from '../terminal/failure.ts';
import { withProgress } from '../terminal/progress.ts';
import { counted, print, printable, type Terminal } from '../terminal/terminal.ts';
import { type InputOptions, openInput } from './input.ts';
import { namePattern } from './namePattern.ts';
import { norm } from './values.ts';

export interface InspectOptions extends InputOptions {
  readonly filter?: string;
  readonly norms?: boolean;
  readonly json?: boolean;
}

/** What is shown of a tensor. */
interface Row {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: number;
  readonly bytes: number;
  /** null: of a dtype that is not read */
  readonly norm?: number | null;
}

/** `saccade weights inspect` */
export async function inspect(reference: string, options: InspectOptions, terminal: Terminal): Promise<void> {
  await using input = await openInput(reference, options, terminal);
  const { file, source } = input;
  const fits = namePattern(options.filter ?? '*');
  const names = file.names.filter(fits);
  if (names.length === 0 && file.names.length > 0) {
    throw new CommandFailure(
      `none of the ${file.names.length} names in ${reference} is of the form ${options.filter}.`,
    );
  }
  const norms = options.norms ? await readNorms(file, names, terminal) : undefined;
  const rows = names.map((name): Row => {
    const { dtype, shape, byteLength } = file.info(name);
    const values = shape.reduce((product, size) => product * size, 1);
    return { name, dtype, shape, values, bytes: byteLength, ...(norms ? { norm: norms.get(name) ?? null } : {}) };
  });
  const about = describe(file, source.size);
  if (options.json) print(terminal, JSON.stringify({ file: reference, ...about, tensors: rows }, null, 2));
  else print(terminal, ...head(reference, about, rows, file.names.length), '', table(rows), '', totals(rows));
}

function describe(file: WeightsFile, fileBytes: number) {
  const { path: container = [], ignored = [] } = file as Partial<LazyTorchStateDict>;
  return {
    format: file.format,
    fileBytes,
    layout: keyLayoutOf(file.names.map(unwrapper(file.names)))?.title ?? null,
    container,
    ignored,
    metadata: Object.fromEntries(file.metadata),
  };
}

async function readNorms(
  file: WeightsFile,
  names: readonly string[],
  terminal: Terminal,
): Promise<Map<string, number | null>> {
  const total = names.reduce((sum, name) => sum + file.info(name).byteLength, 0);
  return await withProgress(terminal, 'read', async ({ update }) => {
    const norms = new Map<string, number | null>();
    let done = 0;
    for (const name of names) {
      terminal.signal.throwIfAborted();
      norms.set(name, await normOf(file, name));
      done += file.info(name).byteLength;
      update(done, total);
    }
    return norms;
  });
}

/** null: of a dtype that is not read */
async function normOf(file: WeightsFile, name: string): Promise<number | null> {
  try {
    return norm((await file.get(name)).data);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'UnsupportedDtype') return null;
    throw error;
  }
}

type About = ReturnType<typeof describe>;

function head(reference: string, about: About, rows: readonly Row[], count: number): string[] {
  const { format, fileBytes, layout, container, ignored, metadata } = about;
  const facts: [string, string][] = [
    ['format', format],
    ...(container.length > 0 ? [['lies under', container.join('.')] as [string, string]] : []),
    ...(layout === null ? [] : [['names of', layout] as [string, string]]),
    ['file', prettyBytes(fileBytes, { binary: true })],
    ['tensors', rows.length === count ? `${count}` : `${rows.length} of ${count}`],
    ...(ignored.length > 0 ? [['not tensors', ignored.join(', ')] as [string, string]] : []),
    ...Object.entries(metadata).map(([key, value]): [string, string] => [key, shortened(value)]),
  ];
  const width = Math.max(...facts.map(([key]) => printable(key).length));
  return [
    printable(reference),
    ...facts.map(([key, value]) => `  ${printable(key).padEnd(width)}  ${printable(value)}`),
  ];
}

function table(rows: readonly Row[]): string {
  const withNorms = rows.some((row) => row.norm !== undefined);
  return markdownTable(
    [
      ['name', 'dtype', 'shape', 'values', 'size', ...(withNorms ? ['norm'] : [])],
      ...rows.map(({ name, dtype, shape, values, bytes, norm }) => [
        // Also as Markdown, the table stays a table.
        printable(name).replaceAll('|', '\\|'),
        dtype,
        `[${shape.join(', ')}]`,
        values.toLocaleString('en-US'),
        prettyBytes(bytes, { binary: true }),
        ...(withNorms ? [norm === null || norm === undefined ? '' : norm.toPrecision(6)] : []),
      ]),
    ],
    { align: ['l', 'l', 'l', 'r', 'r', 'r'] },
  );
}

function totals(rows: readonly Row[]): string {
  const values = rows.reduce((sum, row) => sum + row.values, 0);
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
  return `${counted(rows.length, 'tensor')}, ${counted(values, 'value')}, ${prettyBytes(bytes, { binary: true })}`;
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
