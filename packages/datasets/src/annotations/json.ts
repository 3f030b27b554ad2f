import * as v from 'valibot';
import type { Files, ReadOptions } from '../files/files.ts';
import { annotationError, readText } from './text.ts';

/**
 * A JSON file that is as a schema says.
 *
 * @throws DatasetError `missing`, or `annotation` with the place of the first value that is not as it should be
 */
export async function readJson<S extends v.GenericSchema>(
  files: Files,
  path: string,
  schema: S,
  options: ReadOptions = {},
): Promise<v.InferOutput<S>> {
  const text = await readText(files, path, options);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw annotationError(path, 'JSON', cause instanceof Error ? cause.message : String(cause), { cause });
  }
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  const place = v.getDotPath(issue);
  throw annotationError(place === null ? path : `${path}, ${place}`, issue.expected ?? issue.message, issue.received);
}
