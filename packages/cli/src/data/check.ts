import { checkPresence, DatasetError, type SampleInfo, SampleOrder } from '@saccade/datasets';
import { nodeFiles } from '@saccade/datasets/node';
import { nearNames } from '@saccade/weights';
import { CommandFailure, UsageError } from '../terminal/failure.ts';
import { withProgress } from '../terminal/progress.ts';
import { counted, print, type Terminal } from '../terminal/terminal.ts';
import { refuseWithoutDecoder } from './decoding.ts';
import { INSTALLATIONS, type Installation, type OpenedInstallation, SHARDS } from './installations.ts';
import { type Findings, isSound, reportLines } from './report.ts';
import { inspectShards } from './webdataset.ts';

/** Options of `saccade data check`. */
export interface CheckOptions {
  readonly dataset: string;
  readonly root: string;
  readonly split?: string;
  readonly option: ReadonlyMap<string, string>;
  readonly sample: number;
  readonly all?: boolean;
  readonly seed: number;
  readonly json?: boolean;
}

/** Samples that are read at a time. */
const LANES = 4;
/** Details that are kept of each kind of finding; all are counted. */
const KEPT = 100;

/** `saccade data check` */
export async function check(options: CheckOptions, terminal: Terminal): Promise<void> {
  const { dataset: name, root } = options;
  const findings = name === SHARDS.name ? await checkShards(options, terminal) : await checkIndexed(options, terminal);
  if (options.json)
    print(terminal, JSON.stringify({ dataset: name, root, ...findings, ok: isSound(findings) }, null, 2));
  else print(terminal, ...reportLines(findings, root));
  if (!isSound(findings)) {
    throw new CommandFailure(`${findings.name} below ${root} is not complete and sound; see above.`);
  }
}

/** Shards have no index: they are read from end to end. */
async function checkShards(options: CheckOptions, terminal: Terminal): Promise<Findings> {
  const { root, split = '', option, sample, all, seed } = options;
  checkNames(SHARDS.name, option, SHARDS.options);
  const request = { files: await nodeFiles(root), split, options: option, sample: all ? undefined : sample, seed };
  return await inspectShards(request, terminal);
}

async function checkIndexed(options: CheckOptions, terminal: Terminal): Promise<Findings> {
  const { dataset: name, option } = options;
  const installation = known(name);
  const split = options.split ?? (installation.splits[0] as string);
  if (!installation.splits.includes(split) && !installation.splits.includes('')) {
    throw new UsageError(`${installation.title} has the splits ${installation.splits.join(', ')}, got ${split}.`);
  }
  checkNames(name, option, installation.options);
  const opened = await open(installation, split, options, terminal);
  return await inspect(installation, split, opened, options, terminal);
}

function checkNames(name: string, given: ReadonlyMap<string, string>, options: Readonly<Record<string, string>>): void {
  const unknown = [...given.keys()].find((key) => !Object.hasOwn(options, key));
  if (unknown === undefined) return;
  const lines = Object.entries(options).map(([key, meaning]) => `  ${key}  ${meaning}`);
  throw new UsageError(`${name} has no option ${unknown}. It has:\n${lines.join('\n')}`);
}

function known(name: string): Installation {
  const found = Object.hasOwn(INSTALLATIONS, name) ? INSTALLATIONS[name] : undefined;
  if (found !== undefined) return found;
  const names = [...Object.keys(INSTALLATIONS), SHARDS.name];
  const [near] = nearNames(name, names);
  const meant = near === undefined ? '' : ` Did you mean ${near}?`;
  throw new UsageError(`there is no data set ${name}.${meant} There are ${names.join(', ')}.`);
}

type Opened = OpenedInstallation & { readonly absent: readonly SampleInfo[]; readonly present: readonly number[] };

/** Reads the annotation and looks for the files. */
async function open(
  installation: Installation,
  split: string,
  { root, option }: CheckOptions,
  terminal: Terminal,
): Promise<Opened> {
  const { signal } = terminal;
  const files = await nodeFiles(root);
  try {
    const opened = await withProgress(terminal, 'annotation', ({ update: onProgress }) =>
      installation.open({ files, split, options: option, signal, onProgress }),
    );
    const { index } = opened;
    // Samples in memory have no files of their own.
    const named = index.entries.some(({ path }) => path !== '');
    const { entries, absent } = !named
      ? index
      : await withProgress(
          terminal,
          'files',
          ({ update }) => checkPresence(index, files, { signal, onProgress: update }),
          String,
        );
    const places = new Map(index.entries.map((entry, place) => [entry, place]));
    return { ...opened, absent, present: entries.map((entry) => places.get(entry) as number) };
  } catch (error) {
    // Options of the data set come from the command line.
    if (error instanceof DatasetError && error.code === 'option') throw new UsageError(error.message);
    throw error;
  }
}

async function inspect(
  { title, published }: Installation,
  split: string,
  { index, dataset, notes = [], absent, present }: Opened,
  { sample, all, seed }: CheckOptions,
  terminal: Terminal,
): Promise<Findings> {
  const chosen = all || sample >= present.length ? [...present] : draw(present, sample, seed);
  const unreadable = await readAll(dataset, chosen, index.entries, terminal);
  const histogram = index.classes.map((name) => ({ name, samples: 0 }));
  for (const { label } of index.entries) {
    const row = histogram[label];
    if (row !== undefined) row.samples++;
  }
  const labelled = index.entries.some(({ label }) => label >= 0);
  return {
    name: `${title} ${split}`.trim(),
    samples: index.entries.length + index.absent.length,
    classes: index.classes.length,
    published: published?.[split],
    missing: { count: absent.length, first: absent.slice(0, KEPT).map(({ path }) => path) },
    unreadable: { read: chosen.length, of: present.length, count: unreadable.length, first: unreadable.slice(0, KEPT) },
    notes,
    histogram: labelled ? histogram : undefined,
  };
}

function draw(present: readonly number[], count: number, seed: number): number[] {
  if (count === 0) return [];
  const order = new SampleOrder(present.length, { batchSize: count, seed });
  return order
    .indices(0)
    .map((place) => present[place] as number)
    .sort((a, b) => a - b);
}

async function readAll(
  dataset: OpenedInstallation['dataset'],
  chosen: readonly number[],
  entries: readonly SampleInfo[],
  terminal: Terminal,
): Promise<{ readonly path: string; readonly message: string }[]> {
  const { signal } = terminal;
  const failed: { readonly place: number; readonly message: string }[] = [];
  const title = `read ${counted(chosen.length, 'sample')}`;
  await withProgress(
    terminal,
    title,
    async ({ update }) => {
      let [next, done] = [0, 0];
      const lane = async () => {
        while (next < chosen.length) {
          signal.throwIfAborted();
          const place = chosen[next++] as number;
          try {
            await dataset.get(place, { signal });
          } catch (error) {
            signal.throwIfAborted();
            if (!(error instanceof DatasetError)) throw error;
            refuseWithoutDecoder(error);
            failed.push({ place, message: error.message });
          }
          update(++done, chosen.length);
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
    },
    String,
  );
  return failed
    .sort((a, b) => a.place - b.place)
    .map(({ place, message }) => ({ path: entries[place]?.path || String(place), message }));
}
