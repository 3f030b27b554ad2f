import { annotationError, lineOf, linesOf, readText, wholeNumber } from '../annotations/text.ts';
import type { Files } from '../files/files.ts';
import { byCodeUnit } from '../files/paths.ts';
import { type MatStruct, readMatStructs } from '../matlab/readStructs.ts';

/** A class of ImageNet. */
export interface Synset {
  /** WordNet id, `n01440764` */
  readonly wnid: string;
  /** its names, `tench, Tinca tinca` */
  readonly words: string;
  /** ILSVRC2012_ID of the devkit, from 1; only devkit files tell it */
  readonly id?: number;
}

/**
 * Where the classes are listed.
 *
 * - `mat`: the devkit's `data/meta.mat`; tells the ids of the ground truth file
 * - `clsloc`: lines `n02119789 1 kit_fox` of `map_clsloc.txt`; tells them too
 * - `words`: lines `n01440764 tench, Tinca tinca` (`synset_words.txt`, `LOC_synset_mapping.txt`) or `n01440764` alone
 */
export interface SynsetSource {
  readonly path: string;
  readonly format: 'mat' | 'clsloc' | 'words';
}

const WNID = /^n\d{8}$/;

/**
 * The classes of ImageNet in the order of the labels: sorted by WordNet id, which is neither the order of the devkit's ids nor
 * that of its lines.
 *
 * @throws DatasetError `missing`, or `annotation` for a file that is not as its format says or names a class twice
 */
export async function readSynsets(
  files: Files,
  { path, format }: SynsetSource,
  signal?: AbortSignal | undefined,
): Promise<Synset[]> {
  const synsets =
    format === 'mat'
      ? leafSynsets(
          await readMatStructs(await files.read(path, { signal, maxBytes: MAX_META_BYTES }), 'synsets', {
            source: path,
            signal,
          }),
          path,
        )
      : linesOf(await readText(files, path, { signal })).map(({ number, text }) =>
          parseLine(text, format, lineOf(path, number)),
        );
  checkUnique(synsets, path);
  return synsets.sort((a, b) => byCodeUnit(a.wnid, b.wnid));
}

/** The devkit's file has half a megabyte. */
const MAX_META_BYTES = 16 * 2 ** 20;

/** The synsets without children are the classes; the others are their hypernyms. */
function leafSynsets(structs: readonly MatStruct[], source: string): Synset[] {
  return structs.flatMap((struct, index) => {
    const [id, children] = [struct.get('ILSVRC2012_ID'), struct.get('num_children')];
    const [wnid, words] = [struct.get('WNID'), struct.get('words')];
    const place = `${source}, synsets(${index + 1})`;
    if (!isNumber(id) || !isNumber(children) || typeof wnid !== 'string' || typeof words !== 'string') {
      throw annotationError(place, 'ILSVRC2012_ID, WNID, words and num_children', [...struct.keys()].join(', '));
    }
    if (!WNID.test(wnid)) throw annotationError(place, 'a WordNet id such as n01440764', wnid);
    return children[0] === 0 ? [{ wnid, words, id: id[0] }] : [];
  });
}

function isNumber(value: unknown): value is readonly [number] {
  return Array.isArray(value) && value.length === 1 && Number.isSafeInteger(value[0]);
}

function parseLine(line: string, format: 'clsloc' | 'words', place: string): Synset {
  const [wnid = '', ...rest] = line.trim().split(/\s+/);
  if (!WNID.test(wnid)) throw annotationError(place, 'a line that begins with a WordNet id such as n01440764', line);
  if (format === 'words') return { wnid, words: rest.join(' ') };
  const id = wholeNumber(rest[0]);
  if (id === undefined || rest.length !== 2) throw annotationError(place, '<WordNet id> <number> <name>', line);
  return { wnid, words: rest[1] as string, id };
}

function checkUnique(synsets: readonly Synset[], source: string): void {
  const seen = new Set<string | number>();
  for (const { wnid, id } of synsets) {
    for (const key of id === undefined ? [wnid] : [wnid, id]) {
      if (seen.has(key)) throw annotationError(source, 'each class once', `${key} a second time`);
      seen.add(key);
    }
  }
}

/**
 * Labels for the ids of the devkit: `labels.get(id)` is the position of its class among the sorted WordNet ids.
 *
 * @throws DatasetError `annotation` for synsets without ids
 */
export function labelsOfIds(synsets: readonly Synset[], source: string): ReadonlyMap<number, number> {
  return new Map(
    synsets.map(({ id, wnid }, label) => {
      if (id === undefined) {
        throw annotationError(source, 'ids of the devkit beside the WordNet ids', `${wnid} without one`, {
          hint: "Give meta.mat (format 'mat') or map_clsloc.txt (format 'clsloc').",
        });
      }
      return [id, label];
    }),
  );
}
