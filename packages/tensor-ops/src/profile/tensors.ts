import * as tf from '@tensorflow/tfjs-core';
import { replaceMember } from '../replaceMember.ts';
import { bytesOf, Tally } from './tally.ts';

/**
 * Watches the numbers that tensors have, by tfjs' own list of them: a kernel's scratch is not on it.
 *
 * @returns ends the watch and gives the most bytes at once
 */
export function watchTensors(): () => number {
  const tally = new Tally();
  const { tensorInfo } = tf.engine().state;
  const [set, remove] = [tensorInfo.set.bind(tensorInfo), tensorInfo.delete.bind(tensorInfo)];
  const restores = [
    replaceMember(tensorInfo, 'set', (dataId, info) => {
      tally.add(bytesOf(info));
      return set(dataId, info);
    }),
    replaceMember(tensorInfo, 'delete', (dataId) => {
      const info = tensorInfo.get(dataId);
      if (info !== undefined) tally.remove(bytesOf(info));
      return remove(dataId);
    }),
  ];
  return () => {
    for (const restore of restores) restore();
    return tally.peak;
  };
}
