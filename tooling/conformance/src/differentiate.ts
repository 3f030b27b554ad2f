import { type Gradients, valueAndGradients } from '@saccade/engine';
import { Module, Parameter, type StateTensor } from '@saccade/nn';
import * as tf from '@tensorflow/tfjs-core';

/** One forward and backward pass of a module. The tensors are the caller's to dispose. */
export interface Differentiated {
  readonly output: tf.Tensor;
  /** gradient of the input, shaped as the input */
  readonly gradInput: tf.Tensor;
  /** gradients of the weights by name, in PyTorch's layouts */
  readonly gradients: ReadonlyMap<string, StateTensor>;
}

/**
 * Runs `forward` on `input` and differentiates `sum(output * gradOutput)` by the input and all weights of `module`.
 *
 * It is one pass: in training mode running statistics are updated once. `input` and `gradOutput` are disposed.
 */
export async function differentiate(
  module: Module,
  input: tf.Tensor,
  gradOutput: tf.Tensor,
  forward: (input: tf.Tensor) => tf.Tensor,
): Promise<Differentiated> {
  const probe = new Probe(module, Float32Array.from(await input.data()), input.shape);
  let output: tf.Tensor | undefined;
  const { value, gradients } = valueAndGradients(probe, () => {
    output = tf.keep(forward(probe.input.variable));
    return tf.sum(tf.mul(output, gradOutput)) as tf.Scalar;
  });
  const weights = new Map(
    [...gradients].flatMap(([name, g]) => (name.startsWith(WEIGHTS) ? [[name.slice(WEIGHTS.length), g]] : [])),
  );
  const inTorchLayout = await torchGradients(module, weights as Gradients);
  tf.dispose([value, gradOutput, input, ...weights.values()]);
  probe.input.dispose();
  return {
    output: output as unknown as tf.Tensor,
    gradInput: gradients.get('input') as tf.Tensor,
    gradients: inTorchLayout,
  };
}

const WEIGHTS = 'module.';

/** A module together with its input, so that both are differentiated alike. */
class Probe extends Module {
  readonly input: Parameter;

  constructor(module: Module, values: Float32Array, shape: readonly number[]) {
    super();
    this.child('module', module);
    this.input = this.parameter('input', shape, { init: () => values });
  }
}

/** Reads gradients by weight name in the layouts under which PyTorch knows the weights. */
export async function torchGradients(module: Module, gradients: Gradients): Promise<Map<string, StateTensor>> {
  const read = new Map<string, StateTensor>();
  for (const [name, { variable, layout }] of module.namedParameters()) {
    const gradient = gradients.get(name);
    if (!gradient) continue;
    // A parameter of the same layout is what converts.
    const carrier = new Parameter(Float32Array.from(await gradient.data()), variable.shape, layout, false);
    read.set(name, await carrier.read());
    carrier.dispose();
  }
  return read;
}
