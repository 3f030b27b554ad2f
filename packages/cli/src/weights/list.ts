import { markdownTable } from 'markdown-table';
import { CommandFailure } from '../terminal/failure.ts';
import { note, print, type Terminal } from '../terminal/terminal.ts';

export interface ListOptions {
  readonly json?: boolean;
}

/** `saccade weights list` */
export async function list(pattern: string, { json }: ListOptions, terminal: Terminal): Promise<void> {
  const { listCheckpoints } = await import('@saccade/backbones');
  const found = listCheckpoints(pattern);
  if (found.length === 0) throw new CommandFailure(`no public checkpoint has a name of the form ${pattern}.`);
  if (json) {
    print(terminal, JSON.stringify(found, null, 2));
    return;
  }
  const rows = found.map(({ name, dataset, numClasses, input, licence, reference }) => [
    name,
    dataset,
    String(numClasses),
    input.join('x'),
    licence,
    reference,
  ]);
  print(terminal, markdownTable([['name', 'data set', 'classes', 'input', 'licence', 'reference'], ...rows]));
  const unverified = found.filter(({ verified }) => !verified).length;
  if (unverified > 0) {
    note(
      terminal,
      `${unverified} of these ${found.length} were never downloaded and run by Saccade: they are as their publishers state them.`,
    );
  }
}
