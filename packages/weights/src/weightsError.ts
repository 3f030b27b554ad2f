/**
 * What every error of this package is: readers and writers of each format, sources of bytes and downloads throw
 * subclasses of it and nothing else. `code` says what is wrong, in the words of the subclass; `message` says it to a
 * person.
 */
export abstract class WeightsError extends Error {
  abstract readonly code: string;
}

/** A string from a file, made safe and short enough for an error message. */
export function quote(text: string): string {
  const longest = 80;
  return JSON.stringify(text.length <= longest ? text : `${text.slice(0, longest)}…`);
}
