import { aiaHandlers } from './aia/index.ts';
import { indices } from './aia/indices.ts';
import { dgHandlers } from './dg/index.ts';
import { GoldenError } from './errors.ts';
import type { Golden } from './Golden.ts';
import type { Handler } from './handler.ts';
import { lisaHandlers } from './lisa/index.ts';
import { structsaHandlers } from './structsa/index.ts';

/** All kinds that are known. A new operator family adds its folder and its list here. */
const HANDLERS: readonly Handler[] = [...structsaHandlers, ...aiaHandlers, ...dgHandlers, ...lisaHandlers];

/**
 * The handler of a file, by what its metadata says.
 *
 * @throws GoldenError if there is none
 */
export function handlerOf(golden: Golden): Handler {
  const [family, kind] = [golden.text('family'), golden.text('kind')];
  const handler = HANDLERS.find((candidate) => candidate.family === family && candidate.kind.test(kind));
  if (!handler) throw new GoldenError(`no handler for family "${family}", kind "${kind}"`);
  return handler;
}

/** Replays a JSON file of golden numbers; `directory` is where it and its tensors lie. */
export type DocumentHandler = (content: unknown, checks: DocumentChecks, directory: string) => Promise<void>;

/** Takes the comparisons of a JSON file: each one by name, with the number of values that differ. */
export type DocumentChecks = (name: string, differing: number) => void;

/** Golden numbers that are not tensors (frame indices, crop offsets) lie beside the tensors in a file of this name. */
export const DOCUMENTS: ReadonlyMap<string, DocumentHandler> = new Map([['data_indices.json', indices]]);
