import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { addDataCommands } from './data/commands.ts';
import { type ExitCode, explain } from './terminal/failure.ts';
import { note, type Terminal } from './terminal/terminal.ts';
import { addWeightsCommands } from './weights/commands.ts';

/** Where {@link runCli} writes, and what stops it. */
export type RunOptions = Terminal;

/**
 * Carries out a command line, `['weights', 'inspect', 'model.pth']`, as the program `saccade` does.
 *
 * @returns the code to exit with: 0 done; 1 a file is bad, or something failed; 2 wrong usage; 130 interrupted. Errors are
 *   written to `stderr` and not thrown
 */
export async function runCli(args: readonly string[], terminal: RunOptions): Promise<ExitCode> {
  const program = new Command('saccade')
    .description('Structure-aware vision attention on TensorFlow.js: the command line.')
    .version(version())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.stdout.write(text),
      writeErr: (text) => terminal.stderr.write(text),
    })
    .showHelpAfterError('(--help shows what there is)');
  addWeightsCommands(program, terminal);
  addDataCommands(program, terminal);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    const { code, message } = explain(error);
    if (message !== undefined) note(terminal, `saccade: ${message}`);
    return code;
  }
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return (manifest as { version: string }).version;
}
