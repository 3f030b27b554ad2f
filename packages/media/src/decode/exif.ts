/**
 * The 8 ways in which a camera may have been held, numbered as EXIF does. 1 is upright; 2 to 4 mirrored or upside down;
 * 5 to 8 lie on a side, so that width and height change places.
 */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const ORIENTATION_TAG = 0x0112;
const SHORT = 3;

/**
 * The orientation in a TIFF header, as EXIF metadata are kept; 1 where there is none, or none that can be.
 *
 * @param tiff the bytes after `Exif\0\0`
 */
export function exifOrientation(tiff: Uint8Array): Orientation {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (tiff.length < 8) return 1;
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return 1;
  const little = order === 0x4949;
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + 12 * i;
    if (entry + 12 > tiff.length) return 1;
    if (view.getUint16(entry, little) !== ORIENTATION_TAG) continue;
    const value = view.getUint16(entry + 8, little);
    const known = view.getUint16(entry + 2, little) === SHORT && value >= 1 && value <= 8;
    return known ? (value as Orientation) : 1;
  }
  return 1;
}
