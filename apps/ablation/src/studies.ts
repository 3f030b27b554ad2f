import type { Classifier } from '@saccade/engine';
import type { Cost } from '@saccade/nn';
import type * as tf from '@tensorflow/tfjs-core';
import type { StudyTask } from './tasks.ts';

/** Top-1 accuracy in percent that the paper reports for a network: one training run each. */
export interface Published {
  readonly imagenet: number;
  /** Something-Something V1: the paper's motion data */
  readonly something: number;
}

/** One row of a study: its network with one thing changed. */
export interface Setting {
  /** as `--configs` and the result files name it */
  readonly id: string;
  readonly title: string;
  /** the paper's row */
  readonly published?: Published;
  /** The network with its head for `task` and the weights of `seed`. */
  create(task: StudyTask, seed: number): Classifier;
  /** Parameters and MACs of one sample, counted without building the network. */
  cost(task: StudyTask): Cost;
  /**
   * What is looked at while it trains: named numbers of the network in evaluation mode on held-out `inputs`, always the
   * same ones; default: nothing
   */
  probe?(model: Classifier, inputs: tf.Tensor): Readonly<Record<string, number>>;
}

/** A question that two settings answer together: what does the second have over the first? */
export interface Question {
  readonly factor: string;
  /** ids of settings */
  readonly from: string;
  readonly to: string;
  /** where the paper answers with other networks than the settings' own rows: their difference, in points */
  readonly published?: Published;
}

/** Settings that are compared, and what is asked of them. */
export interface Study {
  /** as `--study` names it */
  readonly id: string;
  /** what its networks can be trained on; the first is the default */
  readonly tasks: readonly [StudyTask, ...StudyTask[]];
  readonly settings: readonly Setting[];
  /** id of the setting with which all others are compared, and what tables call it */
  readonly reference: string;
  readonly referenceTitle: string;
  readonly questions: readonly Question[];
  /** what the networks have in common; runs are comparable where it is the same */
  readonly network: object;
}
