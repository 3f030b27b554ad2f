import { ResNet, VisionTransformer } from '@saccade/backbones';
import { OnnxWriteError } from './errors.ts';
import { resnetGraph } from './resnetGraph.ts';
import { vitGraph } from './vitGraph.ts';

/**
 * A network as an ONNX file, by what it is.
 *
 * @param size [H, W] of the images; of a vision transformer, those that it was built for
 * @throws OnnxWriteError Unsupported for anything but plain vision transformers and ResNets, for images
 */
export async function networkGraph(
  model: object,
  size: readonly [height: number, width: number],
  batch = 1,
): Promise<Uint8Array<ArrayBuffer>> {
  if (model instanceof ResNet) return await resnetGraph(model, size, batch);
  if (!(model instanceof VisionTransformer)) {
    throw new OnnxWriteError(
      'Unsupported',
      `a ${model.constructor.name}; graphs are of vision transformers and ResNets.`,
    );
  }
  const own = model.config.inputSize;
  if (own.join() !== size.join()) {
    throw new OnnxWriteError(
      'Unsupported',
      `images of ${size.join('x')}; this model's positions are for ${own.join('x')}.`,
    );
  }
  return await vitGraph(model, batch);
}
