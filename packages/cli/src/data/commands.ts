import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Terminal } from '../terminal/terminal.ts';
import { type CheckOptions, check } from './check.ts';
import { INSTALLATIONS, SHARDS } from './installations.ts';

/** Adds `saccade data check`. */
export function addDataCommands(program: Command, terminal: Terminal): void {
  const data = program.command('data').description('Installations of data sets.');
  data
    .command('check')
    .description('Looks whether an installation is complete and can be read: annotation, files, decoding, classes.')
    .requiredOption('--dataset <name>', 'which one; the list is below')
    .requiredOption('--root <dir>', 'the folder that all its files lie below')
    .option('--split <split>', 'default: the first of the data set')
    .addOption(
      new Option(
        '--option <name=value>',
        'where files lie and how, if not as published; may be repeated; a wrong name shows those there are',
      )
        .argParser(collectPairs)
        .default(new Map(), 'none'),
    )
    .option('--sample <n>', 'how many samples to decode, drawn at random', wholeNumber, 200)
    .option('--all', 'decode every sample')
    .option('--seed <n>', 'of the draw', wholeNumber, 0)
    .option('--json', 'print JSON')
    .addHelpText('after', `\nData sets (splits, the default first):\n${described()}`)
    .action((options: CheckOptions) => check(options, terminal));
}

function described(): string {
  const { name, title } = SHARDS;
  const entries = [...Object.entries(INSTALLATIONS), [name, { title, splits: [''] }] as const];
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries
    .map(
      ([name, { title, splits }]) =>
        `  ${name.padEnd(width)}  ${title}${splits[0] === '' ? '' : ` (${splits.join(', ')})`}`,
    )
    .join('\n');
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('an integer >= 0 is needed.');
}

function collectPairs(text: string, pairs: ReadonlyMap<string, string>): Map<string, string> {
  const [, name, value] = /^([^=]+)=([\s\S]+)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('name=value is needed.');
  return new Map(pairs).set(name, value);
}
