import { DecodeError } from '../errors.ts';

/** How the luma and colour differences of a video become red, green and blue. */
export interface ColourSpace {
  /** `bt601` (standard definition, JPEG) or `bt709` (high definition). */
  readonly matrix: 'bt601' | 'bt709';
  /** Whether luma goes from 0 to 255, or from 16 to 235 as in most videos. */
  readonly fullRange: boolean;
}

/** What a file or frame says about its colours; anything may be missing. */
interface StatedColours {
  readonly matrix?: string | null;
  readonly fullRange?: boolean | null;
}

const MATRICES: Readonly<Record<string, ColourSpace['matrix']>> = {
  bt709: 'bt709',
  bt470bg: 'bt601',
  smpte170m: 'bt601',
};

/**
 * The colour space of a video: what the caller asks for, or else what the file says, or else BT.601 in limited range, which
 * FFmpeg takes for files that do not say, whatever their size, and with it the loaders that models were trained with.
 *
 * @throws DecodeError Unsupported for another matrix (BT.2020, as in HDR); InvalidArgument
 */
export function colourSpaceOf(stated: StatedColours, asked: Partial<ColourSpace> = {}): ColourSpace {
  const { matrix = matrixOf(stated.matrix), fullRange = stated.fullRange ?? false } = asked;
  if (matrix !== 'bt601' && matrix !== 'bt709') {
    throw new DecodeError('InvalidArgument', `colourSpace.matrix must be 'bt601' or 'bt709', got ${String(matrix)}.`);
  }
  return { matrix, fullRange };
}

function matrixOf(name: string | null | undefined): ColourSpace['matrix'] {
  if (name === null || name === undefined) return 'bt601';
  const matrix = Object.hasOwn(MATRICES, name) ? MATRICES[name] : undefined;
  if (matrix === undefined) {
    throw new DecodeError(
      'Unsupported',
      `the video's colours are in ${JSON.stringify(name)}; bt709, bt470bg and smpte170m are read. Pass ` +
        "colourSpace: { matrix: 'bt709' } to decode it as if it were in that one.",
    );
  }
  return matrix;
}
