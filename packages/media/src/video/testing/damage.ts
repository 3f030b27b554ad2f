/** A copy with other bytes at some place. */
export function overwritten(bytes: Uint8Array, at: number, values: ArrayLike<number>): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy.set(values, at);
  return copy;
}

/** Where the content of the first box of this type begins. */
export function boxStart(bytes: Uint8Array, type: string): number {
  return Buffer.from(bytes).indexOf(type, 0, 'latin1') + 4;
}

/** The MP4 file with a second entry in its edit list, which shows the media again. Its moov must come last. */
export function withSecondEdit(bytes: Uint8Array): Uint8Array {
  const elst = boxStart(bytes, 'elst');
  const entry = bytes.subarray(elst + 8, elst + 20);
  const grown = new Uint8Array(bytes.length + entry.length);
  grown.set(bytes.subarray(0, elst + 20));
  grown.set(entry, elst + 20);
  grown.set(bytes.subarray(elst + 20), elst + 20 + entry.length);
  const view = new DataView(grown.buffer);
  view.setUint32(elst + 4, 2);
  for (const type of ['moov', 'trak', 'edts', 'elst']) {
    const size = boxStart(grown, type) - 8;
    view.setUint32(size, view.getUint32(size) + entry.length);
  }
  return grown;
}
