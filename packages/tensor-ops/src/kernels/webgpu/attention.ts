import * as tf from '@tensorflow/tfjs-core';
import { BackendError } from '../../backendError.ts';
import { ShapeError } from '../../errors.ts';
import { webgpuDevice } from '../../webgpu/backend.ts';
import { bindingLimit } from '../../webgpu/bindingLimit.ts';
import { runWebGPUProgram } from '../../webgpu/program.ts';
import { ATTENTION, ATTENTION_GRAD } from '../names.ts';
import { runBlockProgram, type Sizes, type Storage } from './attentionBlocks.ts';
import { deltaProgram } from './attentionDelta.ts';
import { forwardProgram } from './attentionForward.ts';
import { keyValueGradProgram } from './attentionKeyValueGrad.ts';
import { queryGradProgram } from './attentionQueryGrad.ts';
import { assertBindable } from './depthwiseTokensLayout.ts';

/** The attributes of both kernels. */
export interface AttentionAttributes {
  readonly scale: number;
  readonly storage: Storage;
  /** bytes that one binding may have; default: what the device allows */
  readonly limit?: number;
}

/**
 * Softmax attention over D sets of keys and values in one pass (inputs and outputs: see the kernel's name). Beside its
 * outputs it writes keys and values as one set each if they are several, and nothing of the size N x L.
 */
export const attention = attentionKernel(ATTENTION, (inputs, { scale, storage, limit }) => {
  const call = parse(inputs, 1, storage);
  const [q] = call.perQuery as [tf.Tensor3D];
  assertBindable('result', [...q.shape.slice(0, 2), (call.values[0] as tf.Tensor3D).shape[2]]);
  return inSlabs(call, limit, ([q], k, v) => {
    const sizes = sizesOf(q as tf.Tensor3D, v, scale);
    return runBlockProgram(forwardProgram(sizes, storage), [q as tf.Tensor3D, k, v]);
  });
});

/** Its gradient, which computes the weights again from the logarithms: one pass for the queries, one for the rest. */
export const attentionGrad = attentionKernel(ATTENTION_GRAD, (inputs, { scale, storage, limit }) => {
  const call = parse(inputs, 4, storage);
  const lengths = call.keys.map((k) => k.shape[1]);
  return inSlabs(call, limit, ([dy, y, logarithms, q], k, v) => {
    const sizes = sizesOf(q as tf.Tensor3D, v, scale);
    const delta = runWebGPUProgram(deltaProgram(sizes), [dy as tf.Tensor, y as tf.Tensor]);
    const operands = [q, k, v, dy, logarithms, delta] as tf.Tensor[];
    const [dq] = runBlockProgram(queryGradProgram(sizes, storage), operands);
    const sets = runBlockProgram(keyValueGradProgram(sizes, storage), operands).map((joint) =>
      lengths.length === 1 ? [joint] : tf.split(joint, lengths, 1),
    );
    return [dq as tf.Tensor, ...sets.flat()];
  });
});

function attentionKernel(
  kernelName: string,
  compute: (inputs: readonly tf.Tensor[], attributes: AttentionAttributes) => tf.Tensor[],
): tf.KernelConfig {
  const kernelFunc: tf.KernelFunc = ({ inputs, attrs }) =>
    tf.tidy(() => compute(inputs as unknown as tf.Tensor[], attrs as unknown as AttentionAttributes));
  return { kernelName, backendName: 'webgpu', kernelFunc };
}

/** Inputs of a kernel: `[...perQuery, ...keys, ...values]`, each with the groups G first. */
interface Call {
  readonly perQuery: readonly tf.Tensor[];
  readonly keys: readonly tf.Tensor3D[];
  readonly values: readonly tf.Tensor3D[];
}

/** @throws ShapeError for an input beyond what the device binds; BackendError for f16 without the feature */
function parse(inputs: readonly tf.Tensor[], perQuery: number, storage: Storage): Call {
  if (storage === 'f16' && !webgpuDevice().features.has('shader-f16')) {
    throw new BackendError('webgpu', "this GPU device lacks the feature shader-f16, which storage: 'f16' needs");
  }
  const sets = inputs.slice(perQuery) as tf.Tensor3D[];
  const call = {
    perQuery: inputs.slice(0, perQuery),
    keys: sets.slice(0, sets.length / 2),
    values: sets.slice(sets.length / 2),
  };
  assertBindable('q', (call.perQuery.at(-1) as tf.Tensor).shape);
  for (const [d, k] of call.keys.entries()) assertBindable(`keys[${d}]`, k.shape);
  for (const [d, v] of call.values.entries()) assertBindable(`values[${d}]`, v.shape);
  return call;
}

function sizesOf(q: tf.Tensor3D, v: tf.Tensor3D, scale: number): Sizes {
  const [groups, queries, keySize] = q.shape;
  return { groups, queries, keys: v.shape[1], keySize, valueSize: v.shape[2], scale };
}

/**
 * Computes with the sets joined into one, which is what one softmax over all of them means. Joined, they may exceed what the
 * device binds where no set alone does: then as many groups at a time as do not.
 */
function inSlabs(
  { perQuery, keys, values }: Call,
  limit = bindingLimit(),
  compute: (perQuery: readonly tf.Tensor[], keys: tf.Tensor3D, values: tf.Tensor3D) => tf.Tensor[],
): tf.Tensor[] {
  const first = keys[0] as tf.Tensor3D;
  const groups = first.shape[0];
  const length = keys.reduce((total, k) => total + k.shape[1], 0);
  const bytesOfGroup = 4 * length * Math.max(first.shape[2], (values[0] as tf.Tensor3D).shape[2]);
  const slab = Math.min(groups, Math.floor(limit / bytesOfGroup));
  if (slab === 0) {
    const expected = `at most ${limit} bytes for each head in all sets together, which is what this GPU device binds`;
    const actual = `${bytesOfGroup} bytes (${length} tokens in ${keys.length} sets)`;
    throw new ShapeError({ argument: 'keys', expected, actual, hint: "setKernelMode('explicit') takes them." });
  }
  const parts: tf.Tensor[][] = [];
  for (let start = 0; start < groups; start += slab) {
    const count = Math.min(slab, groups - start);
    const cut = <T extends tf.Tensor>(x: T): T =>
      count === groups ? x : tf.slice(x, [start, ...x.shape.slice(1).fill(0)], [count, ...x.shape.slice(1)]);
    const join = (sets: readonly tf.Tensor3D[]) => {
      const cuts = sets.map(cut);
      return cuts.length === 1 ? (cuts[0] as tf.Tensor3D) : tf.concat(cuts, 1);
    };
    parts.push(tf.tidy(() => compute(perQuery.map(cut), join(keys), join(values))));
  }
  const [only] = parts;
  if (parts.length === 1) return only as tf.Tensor[];
  return (only as tf.Tensor[]).map((_, i) => tf.concat(parts.map((part) => part[i] as tf.Tensor)));
}
