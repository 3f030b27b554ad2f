/** A file of results that cannot be used: which file, which line, which field, and what was expected there. */
export class RunFileError extends Error {
  override readonly name = 'RunFileError';
}
