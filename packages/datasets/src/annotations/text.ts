import { DatasetError, type DatasetErrorCode } from '../errors.ts';
import type { Files, OpenedFile, ReadOptions } from '../files/files.ts';

/** A line of a text file, with its number from 1 and without its end. */
export interface Line {
  readonly number: number;
  readonly text: string;
}

/** Annotation files above this are refused: the largest that is read whole, the train JSON of SSv2, has some 30 MB. */
const MAX_ANNOTATION_BYTES = 512 * 2 ** 20;

/** No format of this package has lines that are nearly as long. */
const MAX_LINE = 2 ** 20;

/** The error for a place in an annotation file. */
export function annotationError(
  place: string,
  expected: string,
  actual: string,
  { code = 'annotation', hint, cause }: { code?: DatasetErrorCode; hint?: string; cause?: unknown } = {},
): DatasetError {
  return new DatasetError({
    code,
    argument: place,
    expected,
    actual: quoted(actual),
    cause,
    ...(hint ? { hint } : {}),
  });
}

/** A piece of a file as it stands in a message: quoted, and not endless. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}...` : text);
}

/** How a line is named in messages. */
export function lineOf(source: string, number: number): string {
  return `${source}, line ${number}`;
}

/**
 * A text file in UTF-8, without byte order mark.
 *
 * @throws DatasetError `missing`, or `annotation` for a file that is too large or no text in UTF-8
 */
export async function readText(files: Files, path: string, options: ReadOptions = {}): Promise<string> {
  const bytes = await files.read(path, { maxBytes: MAX_ANNOTATION_BYTES, ...options });
  return decodeText(bytes, path, new TextDecoder('utf-8', { fatal: true }));
}

function decodeText(bytes: Uint8Array, source: string, decoder: TextDecoder, stream = false): string {
  try {
    return decoder.decode(bytes, { stream });
  } catch (cause) {
    throw new DatasetError({
      code: 'annotation',
      argument: source,
      expected: 'text in UTF-8',
      actual: 'bytes that are none',
      hint: 'Give the unpacked text file.',
      cause,
    });
  }
}

/** The lines of a text that are not empty. */
export function linesOf(text: string): Line[] {
  return text.split(/\r?\n/).flatMap((line, index) => (line.trim() === '' ? [] : [{ number: index + 1, text: line }]));
}

/**
 * The lines of an opened file that are not empty, read piece by piece: for lists that are too long for memory.
 *
 * @throws DatasetError `annotation` for a line of more than a million characters or bytes that are no UTF-8; the signal's reason
 */
export async function* streamLines(
  file: OpenedFile,
  source: string,
  { signal, pieceBytes = 2 ** 20 }: { signal?: AbortSignal | undefined; pieceBytes?: number } = {},
): AsyncGenerator<Line, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let number = 0;
  for (let start = 0; start < file.size; start += pieceBytes) {
    signal?.throwIfAborted();
    const end = Math.min(file.size, start + pieceBytes);
    const lines = (rest + decodeText(await file.read(start, end), source, decoder, end < file.size)).split('\n');
    rest = end < file.size ? (lines.pop() ?? '') : '';
    if (rest.length > MAX_LINE) {
      throw annotationError(lineOf(source, number + lines.length + 1), `at most ${MAX_LINE} characters`, rest);
    }
    for (const line of lines) {
      number++;
      const text = line.endsWith('\r') ? line.slice(0, -1) : line;
      if (text.trim() !== '') yield { number, text };
    }
  }
}

/** The number that a field of decimal digits says, or undefined. */
export function wholeNumber(field: string | undefined): number | undefined {
  return field !== undefined && /^\d{1,15}$/.test(field) ? Number(field) : undefined;
}

/**
 * A 0-based label out of a field, checked against the number of classes.
 *
 * @param first what the file counts from: 1 for lists whose labels are 1-based
 * @throws DatasetError `labels`
 */
export function labelFrom(field: string | undefined, classes: number | undefined, place: string, first = 0): number {
  const number = wholeNumber(field);
  const end = classes === undefined ? Number.POSITIVE_INFINITY : classes + first;
  if (number !== undefined && number >= first && number < end) return number - first;
  throw annotationError(
    place,
    classes === undefined ? `a label of at least ${first}` : `a label from ${first} to ${end - 1}`,
    field ?? 'nothing',
    { code: 'labels', hint: 'Is this the list of another data set, or one that counts its classes differently?' },
  );
}
