import { DatasetError } from '@saccade/datasets';
import { WeightsError } from '@saccade/weights';
import { CommanderError } from 'commander';
import { Interrupted } from './interrupt.ts';
import { printable } from './terminal.ts';

/** The command line cannot be carried out as it is: another one is needed. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The command was carried out, and what it says is bad news. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
}

/**
 * | code | meaning |
 * |---|---|
 * | 0 | done, and all is well |
 * | 1 | a file is not what it should be, or something failed |
 * | 2 | the command line is wrong |
 * | 130 | interrupted |
 */
export type ExitCode = 0 | 1 | 2 | 130;

/** What to say about an error, if anything is left to say, and how to end. */
export function explain(error: unknown): { readonly code: ExitCode; readonly message?: string } {
  if (error instanceof CommanderError) return { code: error.exitCode === 0 ? 0 : 2 };
  if (error instanceof Interrupted) return { code: 130, message: 'interrupted; nothing was left half-written.' };
  if (error instanceof UsageError) return { code: 2, message: error.message };
  if (error instanceof CommandFailure || error instanceof WeightsError || error instanceof DatasetError) {
    // A message may quote a file: each of its lines is made harmless for itself.
    return { code: 1, message: error.message.split('\n').map(printable).join('\n') };
  }
  if (isSystemError(error)) return { code: 1, message: error.message };
  const details = error instanceof Error ? error.stack : String(error);
  return { code: 1, message: `this is a mistake in saccade itself; please report it with these lines.\n${details}` };
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}
