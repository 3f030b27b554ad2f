import type { LoadReport } from '@saccade/nn';
import { nearNames } from '@saccade/weights';

const LISTED = 8;

/** Lines of an error about many things: how many there are, and the first of them. */
export function section<T>(title: string, items: readonly T[], line: (item: T) => string): string[] {
  if (items.length === 0) return [];
  const more = items.length > LISTED ? [`  ... and ${items.length - LISTED} more`] : [];
  return [`${items.length} ${title}:`, ...items.slice(0, LISTED).map((item) => `  ${line(item)}`), ...more];
}

/** A name, and those of the others that are like it. */
export function suggest(name: string, others: readonly string[]): string {
  const near = nearNames(name, others, 2);
  return near.length === 0 ? name : `${name} (near: ${near.join(', ')})`;
}

/** What may be the reason when names of a checkpoint and of a model differ; undefined if it is none of those known. */
export function nameHint({ missing, unexpected }: Pick<LoadReport, 'missing' | 'unexpected'>): string | undefined {
  const [first] = missing;
  const prefixed = first === undefined ? undefined : unexpected.find((name) => name.endsWith(`.${first}`));
  if (first !== undefined && prefixed !== undefined) {
    return `Its names begin with "${prefixed.slice(0, -first.length)}": take that off.`;
  }
  if (unexpected.some(isLayerScale)) return 'It has layer scale: build the model with {layerScale: 1e-6}.';
  if (missing.some(isLayerScale)) return 'It has no layer scale: build the model without.';
  if (unexpected.some((name) => name.startsWith('patch_embed1.proj.0.'))) {
    return "Its patches overlap: it is a small_plus, and needs a model of uniformerConfig('s_plus', { mixer }).";
  }
  return undefined;
}

function isLayerScale(name: string): boolean {
  return /\.(gamma_[12]|ls[12]\.gamma)$/.test(name);
}
