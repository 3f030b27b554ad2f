/** Pairs of classes of Something-Something that a mirror exchanges: pulling, pushing and turning, left and right. */
const MIRRORED: readonly (readonly [number, number])[] = [
  [86, 87],
  [93, 94],
  [166, 167],
];

const PARTNERS = new Map(MIRRORED.flatMap(([a, b]) => [[a, b] as const, [b, a] as const]));

/**
 * The class of a mirrored clip of Something-Something V1 or V2: left and right change places, the other classes stay.
 *
 * `label` is the position of the class in the alphabetically sorted list (the order that TSM makes for V1, and that of V2's
 * labels JSON); in another order the pairs are others, which {@link mirroredLabels} finds by their names. Source: public code of
 * Attention-in-Attention.
 */
export function mirroredSomethingLabel(label: number): number {
  return PARTNERS.get(label) ?? label;
}

/**
 * For each class that of the mirrored clip, by names: `Pushing something from left to right` becomes `Pushing something from
 * right to left`, if there is a class of that name. For any order of the classes, and any data set that names sides.
 *
 * @returns `labels[label]`
 */
export function mirroredLabels(classes: readonly string[]): number[] {
  const labels = new Map(classes.map((name, label) => [name, label]));
  return classes.map((name, label) => {
    const mirrored = name.replace(/\b(left|right)\b/g, (side) => (side === 'left' ? 'right' : 'left'));
    return labels.get(mirrored) ?? label;
  });
}
