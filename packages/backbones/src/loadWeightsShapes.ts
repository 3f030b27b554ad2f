/** [O, I, kh, kw] of images, [O, I, kt, kh, kw] of clips. */
export function gainsTime(image: readonly number[], clip: readonly number[]): boolean {
  return image.length === 4 && clip.length === 5 && sameShape(image, [...clip.slice(0, 2), ...clip.slice(3)]);
}

/** Position embeddings [1, P + N, C] of two grids. */
export function arePositions(name: string, a: readonly number[], b: readonly number[]): boolean {
  return name === 'pos_embed' && a.length === 3 && b.length === 3 && a[2] === b[2];
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}
