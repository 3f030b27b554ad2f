import { attention, dynamicGroups, groupedAttention } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import { compareValues, type Values } from '../../core/check.ts';
import type { Bench, Contender } from '../../core/comparison.ts';
import { tfjsContender, valuesOf } from '../../core/tfjsContender.ts';
import { attend, dot } from '../operators/reference.ts';
import { type Direction, type FunctionWork, functionContender } from '../support/functionWork.ts';
import { type Input, InputTensors, normalInput } from '../support/inputs.ts';
import { once, type Samples, samples } from '../support/samples.ts';
import { steppedInput } from './exact.ts';

/** Sizes of one sample of DG-Attention. */
export interface DgSetting {
  readonly tokens: number;
  readonly heads: number;
  /** channels of a head */
  readonly size: number;
  readonly groups: number;
  readonly topK: number;
}

/** Stage 1 of DGT-T on pictures of 224 pixels. */
export const STAGE: DgSetting = { tokens: 3136, heads: 2, size: 32, groups: 48, topK: 98 };

/** The explicit path has a mask over all pairs: beyond, that is too large to be compared with. */
const COMPARED_TOKENS = 3136;

/** Queries, keys, values [1, h, N, d] and centroids [h, G, d] of a setting, and what is computed with them. */
export class DgWork {
  readonly #bench: Bench;
  readonly #store = new InputTensors();
  readonly #setting: DgSetting;
  readonly #inputs: readonly [q: Input, k: Input, v: Input, centroids: Input];
  readonly #routing: tf.Tensor[] = [];

  constructor(bench: Bench, setting: DgSetting) {
    this.#bench = bench;
    this.#setting = setting;
    const { tokens, heads, size, groups } = setting;
    const shape = [1, heads, tokens, size];
    this.#inputs = [
      steppedInput('q', shape, 16),
      steppedInput('k', shape, 16),
      normalInput('v', shape),
      steppedInput('centroids', [heads, groups, size], 128, { std: size ** -0.5, fixed: true }),
    ];
  }

  dispose(): void {
    this.#store.dispose();
    tf.dispose(this.#routing);
  }

  /** `2 k N C` multiply-accumulates in the groups, and `2 G N C` to find them. */
  grouped(name: string, direction: Direction): Contender {
    const { tokens, heads, size, groups, topK } = this.#setting;
    const keys = Math.min(topK, tokens);
    return this.#contender(direction, {
      name,
      inputs: this.#inputs,
      apply: (tensors) => {
        const [q, k, v, centroids] = tensors as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D, tf.Tensor3D];
        return groupedAttention(q, k, v, dynamicGroups(q, k, centroids, { topK }));
      },
      samples: once(() => this.#samples(topK)),
      explicit: tokens <= COMPARED_TOKENS,
      decided: ([q, k, , centroids]) => {
        const routing = dynamicGroups(q as tf.Tensor4D, k as tf.Tensor4D, centroids as tf.Tensor3D, { topK });
        return {
          apply: (tensors) =>
            groupedAttention(...(tensors.slice(0, 3) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]), routing),
          dispose: () => tf.dispose([routing.assignment, routing.keys]),
        };
      },
      macs: 2 * (keys + groups) * tokens * heads * size,
    });
  }

  /** Attention between all tokens: what the groups are compared with. */
  global(name: string, direction: Direction): Contender {
    const { tokens, heads, size } = this.#setting;
    return this.#contender(direction, {
      name,
      inputs: this.#inputs.slice(0, 3),
      apply: (tensors) => attention(...(tensors as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D])),
      samples: once(() => this.#samples(undefined)),
      macs: 2 * tokens ** 2 * heads * size,
    });
  }

  /** Which group a query belongs to, and which keys a group has: the part of the work before attention. */
  routing(name: string): Contender {
    const { tokens, heads, size, groups, topK } = this.#setting;
    const [q, k, , centroids] = this.#inputs.map((input) => this.#store.of(input)) as [
      tf.Tensor4D,
      tf.Tensor4D,
      tf.Tensor4D,
      tf.Tensor3D,
    ];
    const compute = () => {
      const { assignment, keys } = dynamicGroups(q, k, centroids, { topK });
      return [assignment, keys];
    };
    return tfjsContender(this.#bench, {
      name,
      compute,
      check: async (values) => compareRouting(values, await valuesOf(compute, 'explicit'), topK),
      cost: { macs: 2 * groups * tokens * heads * size },
    });
  }

  /** The rest of it: attention in groups that are known. */
  withinGroups(name: string): Contender {
    const { tokens, heads, size, topK } = this.#setting;
    const [q, k, , centroids] = this.#inputs.map((input) => this.#store.of(input));
    const routing = dynamicGroups(q as tf.Tensor4D, k as tf.Tensor4D, centroids as tf.Tensor3D, { topK });
    this.#routing.push(routing.assignment, routing.keys);
    return this.#contender('forward', {
      name,
      inputs: this.#inputs.slice(0, 3),
      apply: (tensors) => groupedAttention(...(tensors as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]), routing),
      samples: once(() => this.#samples(topK)),
      macs: 2 * Math.min(topK, tokens) * tokens * heads * size,
    });
  }

  #contender(direction: Direction, work: Omit<FunctionWork, 'outputShape'>): Contender {
    const { tokens, heads, size } = this.#setting;
    return functionContender(this.#bench, this.#store, { ...work, outputShape: [1, heads, tokens, size] }, direction);
  }

  /** The definition for some queries, in float64; without `topK` all keys are theirs. */
  #samples(topK: number | undefined): Samples {
    const { tokens, heads, size, groups } = this.#setting;
    const [q, k, v, centroids] = this.#inputs;
    const row = ({ values }: Input, at: number) =>
      Float64Array.from({ length: size }, (_, e) => values[at * size + e] as number);
    const places = [0, Math.floor(tokens / 3), tokens - 1];
    const found = Array.from({ length: heads }, (_, head) => {
      const all = Array.from({ length: tokens }, (_, token) => head * tokens + token);
      const keys = all.map((at) => row(k, at));
      return places.flatMap((token) => {
        const query = row(q, head * tokens + token);
        const selected = topK === undefined ? all.map((_, l) => l) : selectedKeys(query, keys, topK);
        const own = selected.map((l) => row(v, head * tokens + l));
        const result = attend(
          query,
          selected.map((l) => keys[l] as Float64Array),
          own,
        );
        return [...result].map((value, e) => [(head * tokens + token) * size + e, value] as const);
      });
      /** those of the group whose centroid fits the query best */
      function selectedKeys(query: Float64Array, all: readonly Float64Array[], count: number): number[] {
        const own = Array.from({ length: groups }, (_, g) => row(centroids, head * groups + g));
        const fits = own.map((centroid) => dot(query, centroid));
        const centroid = own[fits.indexOf(Math.max(...fits))] as Float64Array;
        const scores = all.map((key) => dot(centroid, key));
        const order = [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b);
        return order.slice(0, count);
      }
    });
    return samples(`${places.length} tokens`, found.flat());
  }
}

/** Decisions are right or wrong; the keys of a group come in no particular order. */
function compareRouting([groups, keys]: Values, [expectedGroups, expectedKeys]: Values, topK: number) {
  const sorted = (all: ArrayLike<number> | undefined) => {
    const numbers = Array.from(all ?? []);
    return Array.from({ length: numbers.length / topK }, (_, g) =>
      numbers.slice(g * topK, (g + 1) * topK).sort((a, b) => a - b),
    ).flat();
  };
  return compareValues(
    'explicit path',
    [groups as ArrayLike<number>, sorted(keys)],
    [expectedGroups as ArrayLike<number>, sorted(expectedKeys)],
    0,
  );
}
