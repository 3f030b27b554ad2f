import type { Dtype, StateTensor } from '@saccade/weights';
import { CommandFailure } from '../terminal/failure.ts';

/** The dtypes that `--dtype` can give. */
export type CastDtype = 'f32' | 'f16' | 'bf16';

const DTYPES = { f32: 'float32', f16: 'float16', bf16: 'bfloat16' } as const satisfies Record<CastDtype, Dtype>;

/** From here on, rounding to nearest gives infinity: halfway between the largest number and the next power of two. */
const OVERFLOW = { float16: 65_520, bfloat16: 2 ** 128 - 2 ** 119, float32: 2 ** 128 - 2 ** 103 } as const;

/** The dtype that a tensor has after {@link cast}: integers and truth values keep theirs. */
export function castDtype(dtype: Dtype, to: CastDtype | undefined): Dtype {
  return to !== undefined && /^b?float/.test(dtype) ? DTYPES[to] : dtype;
}

/**
 * A floating point tensor with another dtype, rounded to nearest (float64 to float32 first); others as they are.
 *
 * @throws CommandFailure if a finite value would become infinite
 */
export function cast(name: string, tensor: StateTensor, to: CastDtype | undefined): StateTensor {
  const dtype = castDtype(tensor.dtype, to) as keyof typeof OVERFLOW;
  if (dtype === (tensor.dtype as Dtype)) return tensor;
  const data = tensor.data as Float32Array | Float64Array;
  const limit = OVERFLOW[dtype];
  const beyond = data.find((value) => Math.abs(value) >= limit && Number.isFinite(value));
  if (beyond !== undefined) {
    throw new CommandFailure(
      `${name} has a value of ${beyond.toPrecision(4)}, beyond what ${dtype} holds. ` +
        `Choose --dtype ${dtype === 'float16' ? 'bf16 or f32' : 'f32, or none'}.`,
    );
  }
  return { dtype, shape: tensor.shape, data: data instanceof Float64Array ? Float32Array.from(data) : data };
}
