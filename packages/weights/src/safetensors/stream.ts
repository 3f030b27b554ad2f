import type { StateTensor } from '../stateTensor.ts';
import { quote, SafetensorsError } from './errors.ts';
import { checkedEntry, checkedItem, headOf, inWritingOrder, type Named, pairsOf } from './serialize.ts';

/** A tensor to be written, of which dtype and shape are known and whose values are read when their turn comes. */
export interface TensorToWrite extends Pick<StateTensor, 'dtype' | 'shape'> {
  /** Gives a tensor of this dtype and shape. */
  read(): StateTensor | Promise<StateTensor>;
}

/**
 * The bytes of a safetensors file, piece by piece: the same as those of serializeSafetensors, with one tensor in memory at a
 * time. For files that are larger than memory, or than the largest array.
 *
 * @throws SafetensorsError as serializeSafetensors, also for a tensor that turns out to be another than was said; before the
 *   first piece, unless it is about values. What `read` throws.
 * @example
 * for await (const bytes of streamSafetensors(tensors, metadata)) await handle.write(bytes);
 */
export async function* streamSafetensors(
  tensors: Named<TensorToWrite>,
  metadata?: Named<string>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const entries = pairsOf(tensors, 'tensors').map(([name, tensor]) => ({ ...checkedEntry(name, tensor), tensor }));
  yield headOf(inWritingOrder(entries), metadata);
  for (const { name, type, shape, tensor } of entries) {
    const read = await tensor.read();
    if (read.dtype !== type.dtype || `${read.shape}` !== `${shape}`) {
      throw new SafetensorsError(
        'InvalidTensorView',
        `tensor ${quote(name)} has dtype ${read.dtype} and shape [${read.shape.join(', ')}]; it was said to have ` +
          `${type.dtype} and [${shape.join(', ')}].`,
      );
    }
    yield checkedItem(name, read).bytes;
  }
}
