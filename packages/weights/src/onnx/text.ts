import type { Reading } from '../source/reading.ts';
import { OnnxFileError } from './errors.ts';
import { BYTES, type Field, readField } from './wire.ts';

/** The longest name, path or note that is read. */
const MAX_TEXT_BYTES = 2 ** 16;

/** A field of UTF-8 text. @throws OnnxFileError InvalidModel */
export function* readText({ wire, start, end }: Field, what: string): Reading<string> {
  if (wire !== BYTES || end - start > MAX_TEXT_BYTES) {
    throw new OnnxFileError('InvalidModel', `${what} is no text of at most ${MAX_TEXT_BYTES} bytes.`);
  }
  const bytes = yield [start, end];
  try {
    // `slice` also turns shared memory, which decoders refuse, into our own.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.slice());
  } catch (cause) {
    throw new OnnxFileError('InvalidModel', `${what} is not UTF-8 text.`, { cause });
  }
}

/** A StringStringEntryProto, one property of several: `key` and `value`. @throws OnnxFileError InvalidModel */
export function* readProperty(entry: Field, into: Map<string, string>): Reading<void> {
  if (entry.wire !== BYTES) throw new OnnxFileError('InvalidModel', 'a property is no message.');
  let [key, value] = ['', ''];
  let field: Field;
  for (let at = entry.start; at < entry.end; at = field.end) {
    field = yield* readField(at, entry.end);
    if (field.number === 1) key = yield* readText(field, 'the key of a property');
    else if (field.number === 2) value = yield* readText(field, 'the value of a property');
  }
  if (into.has(key)) throw new OnnxFileError('InvalidModel', `the property ${JSON.stringify(key)} is there twice.`);
  into.set(key, value);
}
