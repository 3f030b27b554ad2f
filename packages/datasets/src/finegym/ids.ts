/** The parts of a FineGym id. Numbers are as the id states them: seconds of the video, or of the event, rounded. */
export interface GymId {
  /** id of YouTube: 11 characters, `_` and `-` among them */
  readonly video: string;
  /** `E_002407_002435` */
  readonly event: string;
  /** `A_0003_0005`; undefined for an event */
  readonly subAction: string | undefined;
}

/**
 * Takes the id of an event or sub-action apart, `0LtLS9wROrk_E_002407_002435_A_0003_0005`. From the right, as the id of the
 * video may contain `_`, `_E_` and `_A_` itself.
 *
 * @returns undefined for a text that is no such id
 */
export function parseGymId(id: string): GymId | undefined {
  const parts = /^([\w-]+)_(E_\d{6}_\d{6})(?:_(A_\d{4}_\d{4}))?$/.exec(id);
  if (parts === null) return undefined;
  const [, video, event, subAction] = parts as unknown as [string, string, string, string | undefined];
  return { video, event, subAction };
}
