import type { SavedTensor, StateDict } from '@saccade/nn';
import type * as tf from '@tensorflow/tfjs-core';
import type { Gradients } from './gradients.ts';

/** What changes weights by their gradients, and keeps a state that goes into checkpoints: `AdamW`, `SGD`. */
export interface Optimizer {
  /** learning rate; may be changed between steps */
  lr: number;
  /** One step. The gradients stay the caller's. */
  step(gradients: Gradients | tf.NamedTensorMap): void;
  /** The state of all weights, by their names. */
  stateDict(): Promise<Map<string, SavedTensor>>;
  /** Takes up a state; all of it or, when it throws, nothing. */
  loadStateDict(stateDict: StateDict): void;
  /** Frees the state, not the weights. */
  dispose(): void;
}
