/** The most folders that lie one in the other. */
const MAX_DEPTH = 8;
/** What file systems allow for one name. */
const MAX_NAME_LENGTH = 255;
/** Letters, digits and harmless signs; a dot neither at the beginning nor at the end, nor a space. */
const PLAIN = /^[\p{L}\p{N}_](?:[\p{L}\p{M}\p{N} ._+=~@,()[\]-]*[\p{L}\p{M}\p{N}_+=~@,()[\]-])?$/u;
/** Windows opens a device, whatever the extension, for these names. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/**
 * Whether `name`, which a file of a stranger gives for a file beside it, can mean nothing but a file in the same folder or
 * in one below: plain names with `/` between them. That leaves no way to write `..`, an absolute path, a drive, a URL, an
 * escape, a backslash, a NUL or a device.
 */
export function isSafeShardName(name: string): boolean {
  const parts = name.split('/', MAX_DEPTH + 1);
  return (
    parts.length <= MAX_DEPTH &&
    parts.every((part) => part.length <= MAX_NAME_LENGTH && PLAIN.test(part) && !DEVICE.test(part))
  );
}
