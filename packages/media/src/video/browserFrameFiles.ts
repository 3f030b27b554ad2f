import { loadImage } from '../decode/browser.ts';
import { frameFilesWith } from './frameFiles.ts';

/**
 * A video whose frames are image files, in the order of the list: Blobs, Files or URLs.
 *
 * @throws DecodeError NoFrames for an empty list; InvalidArgument; what loadImage throws. From `frames` also Unsupported for a
 *   frame of another size
 */
export const openFrameFiles = frameFilesWith<string | URL | Blob>(loadImage);
