import { markdownTable } from 'markdown-table';
import { counted, printable } from '../terminal/terminal.ts';

/** What a check found. */
export interface Findings {
  readonly name: string;
  /** that the annotation names */
  readonly samples: number;
  readonly classes: number;
  /** samples of the published data set; copies of some data sets have fewer */
  readonly published: number | undefined;
  readonly missing: { readonly count: number; readonly first: readonly string[] };
  readonly unreadable: {
    /** samples that were read, and how many are there */
    readonly read: number;
    readonly of: number;
    readonly count: number;
    readonly first: readonly { readonly path: string; readonly message: string }[];
  };
  readonly notes: readonly string[];
  /** by label; undefined where the annotation tells no labels */
  readonly histogram: readonly { readonly name: string; readonly samples: number }[] | undefined;
}

/** Whether nothing is missing and nothing that was read is broken. Other counts than the published ones are no fault. */
export function isSound({ missing, unreadable }: Findings): boolean {
  return missing.count === 0 && unreadable.count === 0;
}

/** Paths and classes that are shown; `--json` has more. */
const SHOWN = 5;

/** The findings as text for people. */
export function reportLines(findings: Findings, root: string): string[] {
  const { name, samples, classes, published, missing, unreadable, notes, histogram } = findings;
  const figure = published === undefined ? '' : `; published: ${counted(published, 'sample')}`;
  return [
    `${name} below ${root}`,
    line('annotation', true, `${counted(samples, 'sample')}, ${counted(classes, 'class', 'classes')}${figure}`),
    ...notes.map((note) => line('', true, note)),
    line(
      'files',
      missing.count === 0,
      missing.count === 0 ? 'all are there' : `${counted(missing.count, 'sample')} missing`,
    ),
    ...listed(missing.first, missing.count),
    line('decoding', unreadable.count === 0, decoding(unreadable)),
    ...listed(
      unreadable.first.map(({ message }) => message),
      unreadable.count,
    ),
    ...(histogram === undefined ? [line('classes', true, 'the annotation has no labels')] : classLines(histogram)),
    ...advice(findings),
  ];
}

function line(about: string, ok: boolean, says: string): string {
  return `${about === '' ? '    ' : ok ? 'ok  ' : 'FAIL'}  ${about.padEnd(10)}  ${says}`;
}

function decoding({ read, of, count }: Findings['unreadable']): string {
  const part = read === of ? 'all' : `${read.toLocaleString('en-US')} of ${of.toLocaleString('en-US')}`;
  return count === 0 ? `${part} were read` : `${counted(count, 'sample')} cannot be read (${part} were tried)`;
}

function listed(items: readonly string[], count: number): string[] {
  const shown = items.slice(0, SHOWN).map((item) => `${' '.repeat(18)}${printable(item)}`);
  const more = count - shown.length;
  return more > 0 ? [...shown, `${' '.repeat(18)}and ${more.toLocaleString('en-US')} more`] : shown;
}

function classLines(histogram: NonNullable<Findings['histogram']>): string[] {
  const counts = histogram.map(({ samples }) => samples);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const empty = counts.filter((count) => count === 0).length;
  const says = `${least} to ${most} samples a class${empty === 0 ? '' : `; ${empty} without any`}`;
  const sorted = histogram.map((row, label) => ({ ...row, label })).sort((a, b) => b.samples - a.samples);
  const ends = sorted.length <= 2 * SHOWN ? sorted : [...sorted.slice(0, SHOWN), ...sorted.slice(-SHOWN)];
  const rows = ends.map(({ label, name, samples }) => [
    String(label),
    printable(name),
    samples.toLocaleString('en-US'),
  ]);
  const table = markdownTable([['label', 'class', 'samples'], ...rows], { align: ['r', 'l', 'r'] });
  return [line('classes', true, says), '', table];
}

function advice({ missing, unreadable }: Findings): string[] {
  return [
    ...(missing.count === 0
      ? []
      : [
          '',
          'Missing files: is --root the folder above all of them, and was everything unpacked? --json lists the first 100.',
        ]),
    ...(unreadable.count === 0
      ? []
      : ['', 'Files that cannot be read: copy or download these again; --all tries every sample.']),
  ];
}
