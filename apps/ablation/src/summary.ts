import { accuracyOf, pairedDifferences } from './comparisons.ts';
import type { RunResult } from './runSetting.ts';
import { type MeanInterval, meanInterval } from './statistics.ts';
import type { Setting, Study } from './studies.ts';

/** What a study says about one setting. Accuracies lie between 0 and 1. */
export interface SettingSummary {
  readonly setting: Setting;
  readonly params: number;
  readonly macs: number;
  /** accuracy of each seed, in the order of the seeds */
  readonly accuracies: readonly number[];
  /** over the seeds, with a 95 % interval */
  readonly accuracy: MeanInterval;
  /** accuracy minus that of the reference, over the seeds that both have; undefined for the reference itself */
  readonly toReference: MeanInterval | undefined;
  /** mean over the seeds of the training loss at the end: how far from the end the training was */
  readonly finalLoss: number;
}

/** One summary a setting that has runs, in the order of the study. */
export function summarise({ settings, reference }: Study, runs: readonly RunResult[]): SettingSummary[] {
  return settings.flatMap((setting) => {
    const own = runs.filter((run) => run.setting === setting.id).sort((a, b) => a.seed - b.seed);
    const [first] = own;
    if (!first) return [];
    const accuracies = own.map(accuracyOf);
    const differences = setting.id === reference ? [] : pairedDifferences(runs, reference, setting.id);
    return [
      {
        setting,
        params: first.params,
        macs: first.macs,
        accuracies,
        accuracy: meanInterval(accuracies),
        toReference: differences.length > 0 ? meanInterval(differences) : undefined,
        finalLoss: own.reduce((sum, run) => sum + run.finalLoss, 0) / own.length,
      },
    ];
  });
}
