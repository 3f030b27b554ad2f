import type { ColourSpace } from './colour.ts';

/** Options of openVideo. */
export interface OpenVideoOptions {
  /** Instead of what the file says about its colours, or of the defaults for what it does not say. */
  readonly colourSpace?: Partial<ColourSpace> | undefined;
  /** Turn and mirror frames as the file says, as players and FFmpeg do. Default true. */
  readonly applyRotation?: boolean | undefined;
  /** Most frames of the video. Default 2^20, over 11 hours. */
  readonly maxFrames?: number | undefined;
  /** Most pixels of a frame. Default MAX_PIXELS. */
  readonly maxPixels?: number | undefined;
  /**
   * Who decodes: `prefer-software` (default) gives the same bytes everywhere; graphics cards may keep frames in formats that
   * differ or cannot be read.
   */
  readonly hardwareAcceleration?: 'prefer-software' | 'prefer-hardware' | 'no-preference' | undefined;
  /** Ends the opening; reads have signals of their own. */
  readonly signal?: AbortSignal | undefined;
}
