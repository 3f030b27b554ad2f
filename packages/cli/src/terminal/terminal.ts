import type { Writable } from 'node:stream';

/** Where a command writes, and what stops it. */
export interface Terminal {
  /** results */
  readonly stdout: Writable;
  /** progress and errors; a bar is drawn only where it is a terminal */
  readonly stderr: Writable & { readonly isTTY?: boolean | undefined };
  readonly signal: AbortSignal;
}

/** Writes lines of results. */
export function print({ stdout }: Terminal, ...lines: readonly string[]): void {
  stdout.write(`${lines.join('\n')}\n`);
}

/** Writes a line for the person at the terminal that is no result. */
export function note({ stderr }: Terminal, line: string): void {
  stderr.write(`${line}\n`);
}

/**
 * Text of a file, harmless to a terminal: control characters (also those that change the direction of text) become
 * escapes.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`,
  );
}

/** `1 tensor`, `1,000 tensors`. */
export function counted(count: number, thing: string, things = `${thing}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? thing : things}`;
}
