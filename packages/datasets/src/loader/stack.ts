import { DatasetError } from '../errors.ts';

/** A sample as a model takes it. */
export interface Example {
  /** the values, of one kind in all examples */
  readonly data: Float32Array | Uint8Array;
  /** [H, W, C] of an image, [T, H, W, C] of a clip */
  readonly shape: readonly number[];
  /** 0-based class, or -1 for none */
  readonly label: number;
}

/** Examples side by side. */
export interface ArrayBatch {
  readonly data: Float32Array | Uint8Array;
  /** [B, H, W, C] or [B, T, H, W, C] */
  readonly shape: readonly number[];
  /** [B] */
  readonly labels: Int32Array;
}

/**
 * Copies B examples into one array each of values and labels.
 *
 * @throws DatasetError `sample` if they differ in shape or kind, or have another number of values than their shape says;
 *   `option` for none at all
 */
export function stackExamples(examples: readonly Example[]): ArrayBatch {
  const [first] = examples;
  if (first === undefined) {
    throw new DatasetError({ code: 'option', argument: 'examples', expected: 'at least one', actual: 'none' });
  }
  const size = first.shape.reduce((product, side) => product * side, 1);
  const kind = kindOf(first);
  const data =
    kind === 'Uint8Array' ? new Uint8Array(examples.length * size) : new Float32Array(examples.length * size);
  const labels = new Int32Array(examples.length);
  examples.forEach((example, slot) => {
    if (String(example.shape) !== String(first.shape) || kindOf(example) !== kind || example.data.length !== size) {
      throw new DatasetError({
        code: 'sample',
        argument: `example ${slot} of a batch`,
        expected: `${size} values, ${kind} of the shape [${first.shape.join(', ')}] of the first`,
        actual: `${example.data.length} values, ${kindOf(example)} of the shape [${example.shape.join(', ')}]`,
        hint: 'Resize or crop all samples to one size, and give clips one number of frames.',
      });
    }
    data.set(example.data, slot * size);
    labels[slot] = example.label;
  });
  return { data, shape: [examples.length, ...first.shape], labels };
}

/** By name and not by instanceof, which fails for arrays from another realm. */
function kindOf({ data }: Example): string {
  const kind = data[Symbol.toStringTag];
  return kind === undefined ? typeof data : (kind as string) === 'Uint8ClampedArray' ? 'Uint8Array' : kind;
}
