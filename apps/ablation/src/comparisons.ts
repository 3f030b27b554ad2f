import type { RunResult } from './runSetting.ts';
import { type MeanInterval, meanInterval } from './statistics.ts';
import type { Published, Question, Study } from './studies.ts';

/** Whether our interval lies on the side of zero on which the paper's difference lies. */
export type Verdict = 'agrees' | 'disagrees' | 'cannot tell' | 'not in the paper';

/** The answer of a study to a question. Differences are of accuracies between 0 and 1. */
export interface Answer extends Question {
  /** over the seeds that both settings have; each difference is of two runs of one seed */
  readonly difference: MeanInterval;
  readonly seeds: number;
  /** the paper's differences, as points of percent */
  readonly paper: Published | undefined;
  readonly verdict: Verdict;
}

/** Answers every question of a study for which there are runs of both settings, with a 95 % interval over seeds. */
export function answers(study: Study, runs: readonly RunResult[]): Answer[] {
  return study.questions.flatMap((question) => {
    const differences = pairedDifferences(runs, question.from, question.to);
    if (differences.length === 0) return [];
    const difference = meanInterval(differences);
    const paper = question.published ?? publishedDifference(study, question);
    return [{ ...question, difference, seeds: differences.length, paper, verdict: verdictOn(difference, paper) }];
  });
}

/** Accuracy of `to` minus accuracy of `from`, for each seed that both have. */
export function pairedDifferences(runs: readonly RunResult[], from: string, to: string): number[] {
  return runs
    .filter(({ setting }) => setting === to)
    .flatMap((run) => {
      const other = runs.find(({ setting, seed }) => setting === from && seed === run.seed);
      return other ? [accuracyOf(run) - accuracyOf(other)] : [];
    });
}

/** The share of held-out samples that a run names rightly. */
export function accuracyOf({ correct, samples }: RunResult): number {
  return correct / samples;
}

function publishedDifference({ settings }: Study, { from, to }: Question): Published | undefined {
  const [a, b] = [from, to].map((id) => settings.find((setting) => setting.id === id)?.published);
  if (!a || !b) return undefined;
  // The paper prints one decimal.
  const points = (of: keyof Published) => Math.round(10 * (b[of] - a[of])) / 10;
  return { imagenet: points('imagenet'), something: points('something') };
}

/** The paper's motion data counts: the clips of this study are about motion. */
function verdictOn({ low, high }: MeanInterval, paper: Published | undefined): Verdict {
  if (!paper) return 'not in the paper';
  if (low > 0) return paper.something > 0 ? 'agrees' : 'disagrees';
  if (high < 0) return paper.something < 0 ? 'agrees' : 'disagrees';
  return 'cannot tell';
}
