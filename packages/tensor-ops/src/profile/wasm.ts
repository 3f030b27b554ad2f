import * as tf from '@tensorflow/tfjs-core';
import { replaceMember } from '../replaceMember.ts';
import { bytesOf, Tally } from './tally.ts';

/** Where tfjs' wasm backend keeps what lies on its heap. */
interface HeapBackend {
  readonly dataIdMap: {
    has(dataId: object): boolean;
    get(dataId: object): HeapData;
    set(dataId: object, data: HeapData): void;
    delete(dataId: object): boolean;
  };
}

interface HeapData {
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
}

/**
 * Watches the heap of the wasm backend in use: tensors and scratch, whoever asks for them, also inside of a kernel, which
 * `tf.memory()` does not see.
 *
 * @returns ends the watch and gives the most bytes at once
 */
export function watchHeap(): () => number {
  const tally = new Tally();
  const { dataIdMap } = tf.backend() as unknown as HeapBackend;
  const [set, remove] = [dataIdMap.set.bind(dataIdMap), dataIdMap.delete.bind(dataIdMap)];
  const restores = [
    replaceMember(dataIdMap, 'set', (dataId, data) => {
      tally.add(bytesOf(data));
      set(dataId, data);
    }),
    replaceMember(dataIdMap, 'delete', (dataId) => {
      if (dataIdMap.has(dataId)) tally.remove(bytesOf(dataIdMap.get(dataId)));
      return remove(dataId);
    }),
  ];
  return () => {
    for (const restore of restores) restore();
    return tally.peak;
  };
}
