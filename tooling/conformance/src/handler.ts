import type { Checks } from './Checks.ts';
import type { Golden } from './Golden.ts';

/** Replays golden files of one kind. */
export interface Handler {
  /** the file's `family` */
  readonly family: string;
  /** matches the file's `kind` */
  readonly kind: RegExp;
  /** Computes what the file holds, through the public packages, and compares. It must leave no tensor behind. */
  replay(golden: Golden, checks: Checks): Promise<void>;
}
