import * as v from 'valibot';
import type { RunLine } from '../core/run.ts';
import { RunFileError } from './RunFileError.ts';
import { RunLineSchema } from './runSchema.ts';

/** Characters of the longest line: a row with all of its samples has a few thousand. */
const LONGEST_LINE = 2 ** 20;

const MOST_LINES = 200_000;

/**
 * The lines of a text of results. It may come from anybody.
 *
 * @param source name of the file, for messages
 * @throws RunFileError
 */
export function parseRun(text: string, source: string): RunLine[] {
  // A limit, since the parts of a file of line breaks take far more memory than the file.
  const lines = text.split('\n', MOST_LINES + 1);
  if (lines.length > MOST_LINES) throw new RunFileError(`${source}: expected at most ${MOST_LINES} lines, got more`);
  const parsed = lines.flatMap((line, i) => {
    // Every line ends with a break, but for the last one of a run that was killed while it wrote.
    const hint = i > 0 && i === lines.length - 1 ? '; the run was killed, delete what is left of the line' : '';
    return line.trim() === '' ? [] : [parseLine(line, `${source}, line ${i + 1}`, hint)];
  });
  const headers = parsed.filter(({ kind }) => kind === 'run').length;
  if (parsed[0]?.kind !== 'run') {
    throw new RunFileError(
      `${source}: expected a line of the kind "run" first, got ${parsed[0]?.kind ?? 'an empty file'}`,
    );
  }
  if (headers > 1) {
    throw new RunFileError(`${source}: expected one run, got ${headers}; put each of them into a file of its own`);
  }
  return parsed;
}

function parseLine(line: string, place: string, hint: string): RunLine {
  if (line.length > LONGEST_LINE) {
    throw new RunFileError(`${place}: expected at most ${LONGEST_LINE} characters, got ${line.length}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new RunFileError(`${place}: expected JSON, as pnpm bench writes it: ${detail}${hint}`, { cause });
  }
  const result = v.safeParse(RunLineSchema, value, { abortEarly: true });
  if (result.success) return result.output as RunLine;
  const [issue] = result.issues;
  const field = v.getDotPath(issue) ?? 'the line';
  const said = issue.expected === null ? issue.message : `expected ${issue.expected}, got ${issue.received}`;
  throw new RunFileError(`${place}, ${field}: ${said}`);
}
