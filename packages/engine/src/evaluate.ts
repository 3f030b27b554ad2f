import type { Module } from '@saccade/nn';
import { assertShape } from '@saccade/tensor-ops';
import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from './data.ts';
import { ConfusionMatrix, predictions } from './metrics.ts';
import { pause } from './pause.ts';

/** A module that gives logits [B, K] of a batch of inputs. */
export type Classifier<X extends tf.Tensor = tf.Tensor> = Module & { forward(inputs: X): tf.Tensor2D };

/** Options of {@link evaluate}. */
export interface EvaluateOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch. */
  readonly onProgress?: ((progress: EvaluationProgress) => void) | undefined;
}

/** How far an evaluation is. */
export interface EvaluationProgress {
  readonly samples: number;
  /** of the samples so far */
  readonly accuracy: number;
}

/** What {@link evaluate} found. */
export interface Evaluation {
  /** rows of K logits, in the order of the samples */
  readonly logits: Float32Array;
  readonly labels: Int32Array;
  readonly predicted: Int32Array;
  readonly accuracy: number;
  readonly confusion: ConfusionMatrix;
}

/**
 * Runs a classifier over batches in evaluation mode and compares its predictions with the labels.
 *
 * The batches' tensors are disposed; the model's mode is put back. Other tasks of the program have a turn after each
 * batch, which is when `signal` is looked at.
 *
 * @throws the signal's reason when aborted; ShapeError if the logits are not [B, K]
 */
export async function evaluate<X extends tf.Tensor>(
  model: Classifier<X>,
  batches: AsyncIterable<Batch<X, ArrayLike<number>>> | Iterable<Batch<X, ArrayLike<number>>>,
  { signal, onProgress }: EvaluateOptions = {},
): Promise<Evaluation> {
  const rows: Float32Array[] = [];
  const labels: number[] = [];
  const predicted: number[] = [];
  let confusion: ConfusionMatrix | undefined;
  const { training } = model;
  model.eval();
  try {
    for await (const batch of batches) {
      const { logits, classes } = await logitsOf(model, batch, signal);
      confusion ??= new ConfusionMatrix(classes);
      const found = predictions(logits, classes);
      for (let i = 0; i < found.length; i++) confusion.add(batch.labels[i] as number, found[i] as number);
      rows.push(logits);
      labels.push(...Array.from(batch.labels));
      predicted.push(...found);
      onProgress?.({ samples: labels.length, accuracy: confusion.accuracy });
      await pause();
      signal?.throwIfAborted();
    }
  } finally {
    model.train(training);
  }
  return {
    logits: joined(rows),
    labels: Int32Array.from(labels),
    predicted: Int32Array.from(predicted),
    accuracy: confusion?.accuracy ?? 0,
    confusion: confusion ?? new ConfusionMatrix(1),
  };
}

async function logitsOf<X extends tf.Tensor>(
  model: Classifier<X>,
  { inputs, labels }: Batch<X, ArrayLike<number>>,
  signal: AbortSignal | undefined,
): Promise<{ logits: Float32Array; classes: number }> {
  let output: tf.Tensor2D | undefined;
  try {
    signal?.throwIfAborted();
    output = tf.tidy(() => model.forward(inputs));
    assertShape('logits', output, [labels.length, 'K'], 'One row for each label of the batch.');
    return { logits: Float32Array.from(await output.data()), classes: output.shape[1] };
  } finally {
    output?.dispose();
    inputs.dispose();
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let position = 0;
  for (const part of parts) {
    all.set(part, position);
    position += part.length;
  }
  return all;
}
