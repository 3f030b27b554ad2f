import { quote } from '../weightsError.ts';
import { ZipError } from './errors.ts';

/**
 * The name of an entry, if it is one that cannot be mistaken: UTF-8 without control characters, with `/` between its
 * parts, none of which is empty, `.` or `..`, and no drive in front. Nothing here unpacks files; but names are also
 * shown and compared, and an archive made for an attack on others is no source of weights.
 *
 * @throws ZipError UnsafeName
 */
export function decodeName(bytes: Uint8Array): string {
  let name: string;
  try {
    // `slice` also turns shared memory, which decoders refuse, into our own.
    name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.slice());
  } catch (cause) {
    throw new ZipError('UnsafeName', 'the name of an entry is not UTF-8 text.', { cause });
  }
  const parts = (name.endsWith('/') ? name.slice(0, -1) : name).split('/');
  const safe = !/[\p{Cc}\p{Cf}\\:]/u.test(name) && parts.every((part) => part !== '' && part !== '.' && part !== '..');
  if (!safe) {
    throw new ZipError(
      'UnsafeName',
      `an entry is named ${quote(name)}; expected a plain relative path. Do not use this archive unless you know who ` +
        'made it.',
    );
  }
  return name;
}
