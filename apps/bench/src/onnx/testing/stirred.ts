import type { ResNet, VisionTransformer } from '@saccade/backbones';
import { Rng } from '@saccade/tensor-ops';

/** The model with weights that leave no layer an identity: biases, scales and running statistics start as zeros and ones. */
export async function stirred<M extends VisionTransformer | ResNet>(model: M): Promise<M> {
  const rng = new Rng(7);
  const state = await model.stateDict();
  for (const { data } of state.values()) {
    if (data instanceof Float32Array) for (const i of data.keys()) data[i] = (data[i] as number) + 0.2 * rng.uniform();
  }
  model.loadStateDict(state);
  model.eval();
  return model;
}
