import { groupSums, updatedCentroids } from '@saccade/dg-attention';
import { splitHeads } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { updateError } from '../compare.ts';
import type { Handler } from '../handler.ts';
import { gridOf, layerOf, recordRouting } from './operator.ts';

/** One step of training as the centroids see it: the output before, counts and means, the centroids after, by each rule. */
export const ema: Handler = {
  family: 'dg',
  kind: /^centroid update$/,
  async replay(golden, checks) {
    const learningRate = golden.number('lr');
    for (const rule of ['step', 'literal'] as const) {
      using layer = layerOf(golden, 'state_before.', { ema: rule });
      const x = golden.tensor<tf.Tensor3D>('input');
      const routing = recordRouting(layer);
      const output = layer.forward(x, gridOf(golden));
      layer.afterStep({ learningRate });
      await checks.tensors('forward', { output });
      routing.keys?.dispose();
      await checks.tensors('exact', { 'route.assign': routing.assignment as tf.Tensor3D });
      const [after, moved] = [`state_after.${rule}.centroids`, await layer.centroids.read()];
      checks.values('statistics', after, moved);
      checks.add(
        'update',
        after,
        updateError(moved, golden.get(after), golden.get('state_before.centroids')),
        'update',
      );
      const { groups } = layer.options;
      const counts = (await layer.usage()).flatMap(({ sizes }) => sizes);
      checks.values('exact', 'tap.counts', { shape: [layer.heads, groups], data: Int32Array.from(counts) });
      x.dispose();
    }
    using layer = layerOf(golden, 'state_before.');
    await checks.tensors(
      'statistics',
      tf.tidy(() => {
        const [q, k] = tf.split(layer.qkv.forward(golden.tensor<tf.Tensor3D>('input')), 3, -1) as [
          tf.Tensor3D,
          tf.Tensor3D,
        ];
        const perHead = splitHeads(q, layer.heads);
        const { shape, data } = golden.get('route.assign');
        const assignment = tf.tensor(Int32Array.from(data as Int32Array), [...shape], 'int32');
        const sums = groupSums(perHead, assignment as tf.Tensor3D, layer.options.groups);
        const size = k.shape[2] / layer.heads;
        const [total, counts] = tf.split(sums, [size, 1], -1) as [tf.Tensor3D, tf.Tensor3D];
        const tau = golden.number('tau');
        const centroids = layer.centroids.variable as unknown as tf.Tensor3D;
        const rule = { ema: 'step', renormalise: true, tau } as const;
        return {
          'tap.means': tf.div(total, tf.maximum(counts, 1)),
          'state_after.step_renormalised.centroids': updatedCentroids(centroids, sums, rule),
        } as Record<string, tf.Tensor>;
      }),
    );
  },
};
