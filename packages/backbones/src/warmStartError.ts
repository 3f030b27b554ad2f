import type { LoadReport } from '@saccade/nn';
import { SaccadeError } from '@saccade/tensor-ops';
import { nameHint, section, suggest } from './reportText.ts';

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
        nameHint(report) ??
          'Take the checkpoint of the same size and input (images or clips), and of it what lies under `model` or `model_state`.',
      ].join('\n'),
    );
    this.report = report;
  }
}
