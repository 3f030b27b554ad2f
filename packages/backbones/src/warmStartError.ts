import type { LoadReport } from '@saccade/nn';
import { SaccadeError } from '@saccade/tensor-ops';
import { nearNames } from './nearNames.ts';

const LISTED = 8;

/** A checkpoint is not that of the UniFormer which a StructViT was to start from. `report` holds all that differs. */
export class WarmStartError extends SaccadeError {
  override readonly name = 'WarmStartError';
  readonly report: LoadReport;

  constructor(report: LoadReport) {
    const { missing, unexpected, misshapen } = report;
    super(
      [
        'checkpoint: it is not that of the UniFormer of this StructViT.',
        ...section('missing in the checkpoint', missing, (name) => suggest(name, unexpected)),
        ...section('that a UniFormer of this size does not have', unexpected, (name) => suggest(name, missing)),
        ...section(
          'of another shape',
          misshapen,
          ({ name, expected, actual }) => `${name}: expected [${expected}], got [${actual}]`,
        ),
        hint(report),
      ].join('\n'),
    );
    this.report = report;
  }
}

function section<T>(title: string, items: readonly T[], line: (item: T) => string): string[] {
  if (items.length === 0) return [];
  const more = items.length > LISTED ? [`  ... and ${items.length - LISTED} more`] : [];
  return [`${items.length} ${title}:`, ...items.slice(0, LISTED).map((item) => `  ${line(item)}`), ...more];
}

function suggest(name: string, others: readonly string[]): string {
  const near = nearNames(name, others);
  return near.length === 0 ? name : `${name} (near: ${near.join(', ')})`;
}

/** What to try: the reasons for which official files and targets differ. */
function hint({ missing, unexpected }: LoadReport): string {
  const [first] = missing;
  const prefixed = first === undefined ? undefined : unexpected.find((name) => name.endsWith(`.${first}`));
  if (first !== undefined && prefixed !== undefined) {
    return `Its names begin with "${prefixed.slice(0, -first.length)}": take that off.`;
  }
  if (unexpected.some((name) => /\.gamma_[12]$/.test(name))) {
    return 'It has layer scale: build the target with {layerScale: 1e-6}.';
  }
  if (missing.some((name) => /\.gamma_[12]$/.test(name))) return 'It has no layer scale: build the target without.';
  if (unexpected.some((name) => name.startsWith('patch_embed1.proj.0.'))) {
    return "Its patches overlap: it is a small_plus, and needs a target of uniformerConfig('s_plus', { mixer }).";
  }
  return 'Take the checkpoint of the same size and input (images or clips), and of it what lies under `model` or `model_state`.';
}
