import * as tf from '@tensorflow/tfjs-core';
import { DYNAMIC_GROUPS } from '../names.ts';
import { assertBindable } from './depthwiseTokensLayout.ts';
import { overParts, partsOfHeads, runFlat } from './dynamicGroupsRows.ts';
import { assignmentProgram, scoresProgram } from './dynamicGroupsScores.ts';
import { selectProgram } from './dynamicGroupsSelect.ts';

/** The attributes of the kernel. */
export interface DynamicGroupsAttributes {
  readonly topK: number;
  readonly assign: 'dot' | 'euclid';
  readonly normalizeKeys: boolean;
  /** bytes that one binding may have; default: what the device allows */
  readonly limit?: number;
}

/**
 * Groups of queries and their keys (inputs and outputs: see the kernel's name), nothing of which is read back. The keys of
 * a group are in ascending order.
 *
 * Scores of all keys exist for as many heads at a time as the device binds: [B*h, G, L], never N x L.
 */
export const dynamicGroups: tf.KernelConfig = {
  kernelName: DYNAMIC_GROUPS,
  backendName: 'webgpu',
  kernelFunc: ({ inputs, attrs }) => {
    const [q, k, centroids] = [inputs.q, inputs.k, inputs.centroids] as [tf.Tensor4D, tf.Tensor4D, tf.Tensor3D];
    const attributes = attrs as unknown as DynamicGroupsAttributes;
    const { topK, normalizeKeys, limit } = attributes;
    for (const [name, x] of Object.entries({ q, k, centroids })) assertBindable(name, x.shape);
    const [batch, heads, queries, channels] = q.shape;
    const [groups, length] = [centroids.shape[1], k.shape[2]];
    const count = Math.min(topK, length);
    const sizes = { ownHeads: heads, channels, groups };
    const all = { first: 0, heads: batch * heads };
    assertBindable('keys', [all.heads, groups, count]);
    const parts = partsOfHeads('k', all.heads, 4 * groups * length, limit);
    return tf.tidy(() => {
      const assign = assignmentProgram({ ...sizes, tokens: queries }, all, attributes.assign === 'euclid');
      const [assignment] = runFlat(assign, [q, centroids]);
      const [keys] = overParts(parts, (part) => {
        const scores = runFlat(scoresProgram({ ...sizes, tokens: length }, part, normalizeKeys), [k, centroids]);
        return runFlat(selectProgram(part.heads * groups, length, count), scores);
      });
      return [
        tf.reshape(assignment as tf.Tensor, [batch, heads, queries]),
        tf.reshape(keys as tf.Tensor, [batch, heads, groups, count]),
      ];
    });
  },
};
