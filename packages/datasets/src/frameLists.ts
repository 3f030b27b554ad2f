import { DatasetError } from './errors.ts';
import { leavesRoot } from './files/paths.ts';

/** One clip of a frame list: its frames lie as JPEG files in a folder. */
export interface FrameListEntry {
  /** the clip's folder, relative to the data set's root, with `/` */
  readonly path: string;
  /** number of frames */
  readonly frames: number;
  /** 0-based class */
  readonly label: number;
}

/** Options of {@link parseFrameList}. */
export interface FrameListOptions {
  /** clips with fewer frames are left out; the public training code uses 3; default 0 */
  readonly minFrames?: number;
  /** classes of the data set; larger labels are refused; default: any */
  readonly classes?: number;
}

/**
 * Reads a frame list as TSN, TSM and Attention-in-Attention write it: one clip a line, `<folder> <frames> <label>`, separated
 * by single spaces, no header. Empty lines are passed over.
 *
 * @throws DatasetError `list` for a line of other fields, numbers that are none, a label that the data set does not have, or a
 * folder outside of the root
 */
export function parseFrameList(text: string, { minFrames = 0, classes }: FrameListOptions = {}): FrameListEntry[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === '') return [];
    const fields = line.trimEnd().split(' ');
    const [path, frames, label] = [fields[0] ?? '', wholeNumber(fields[1]), wholeNumber(fields[2])];
    const fault =
      fields.length !== 3 || frames === undefined || label === undefined
        ? 'three fields, <folder> <frames> <label>'
        : leavesRoot(path)
          ? 'a folder below the root'
          : classes !== undefined && label >= classes
            ? `a label from 0 to ${classes - 1}`
            : undefined;
    if (fault !== undefined) {
      throw new DatasetError({
        code: 'list',
        argument: `line ${index + 1}`,
        expected: fault,
        actual: JSON.stringify(line.length > 200 ? `${line.slice(0, 200)}...` : line),
      });
    }
    const entry = { path, frames: frames as number, label: label as number };
    return entry.frames < minFrames ? [] : [entry];
  });
}

function wholeNumber(field: string | undefined): number | undefined {
  return field !== undefined && /^\d{1,15}$/.test(field) ? Number(field) : undefined;
}
