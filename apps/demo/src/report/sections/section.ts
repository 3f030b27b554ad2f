import type { Html } from '@saccade/command-kit';

/** A part of the report with a heading of its own; `null` stands for one that has nothing to show. */
export interface Section {
  /** Anchor in the page. */
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

/** CSS classes of the two models, in their order: the model in focus in colour, its twin in grey. */
export const MODEL_STYLE = ['focus', 'twin'] as const;
