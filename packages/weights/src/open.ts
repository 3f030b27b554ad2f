import { openNumpy } from './numpy/openNumpy.ts';
import { openOnnx } from './onnx/openOnnx.ts';
import { detectFormat } from './open/detect.ts';
import { WeightsFormatError } from './open/errors.ts';
import { openSafetensors } from './safetensors/open.ts';
import { openShardedSafetensors } from './safetensors/openSharded.ts';
import type { ShardResolver } from './shards/resolve.ts';
import { type ByteSource, byteSource, type SourceInput } from './source/byteSource.ts';
import { SourceError } from './source/errors.ts';
import { readAhead } from './source/readAhead.ts';
import { runOnSource } from './source/reading.ts';
import { openTfjs } from './tfjs/openTfjs.ts';
import { openTorch } from './torch/openTorch.ts';
import type { StateOptions } from './torch/selectState.ts';
import type { WeightsFile } from './weightsFile.ts';
import { ZipError } from './zip/errors.ts';

/** Options of {@link openWeights}. */
export interface OpenWeightsOptions {
  /**
   * Finds the files beside this one that it names: of model.json, of an index of safetensors, of an ONNX model with external
   * data. See shardsBeside for files beside a URL.
   */
  readonly resolve?: ShardResolver | undefined;
  /** Which part of a checkpoint of PyTorch is opened, and how its names are given. */
  readonly torch?: StateOptions | undefined;
}

/**
 * Opens a file of weights of any format, told from its bytes and never from its name: safetensors, an index of safetensors,
 * PyTorch (both containers), NumPy (.npy, .npz), a model.json of TensorFlow.js, ONNX. Only the list of tensors is read.
 *
 * @param source a Blob or File, bytes in memory, or any {@link ByteSource}: openUrl, spoolStream and, in Node, openFile
 *   make them
 * @throws WeightsFormatError for everything else, with what it is and what to do; the error type of the format
 *   (SafetensorsError, TorchFileError, NumpyFileError, TfjsFileError, OnnxFileError) for a file of that format that is
 *   damaged, malicious or not supported; an abort of a source unchanged
 * @example
 * const file = await openWeights(await openUrl('https://host.example/model.pth'));
 * file.format; // 'torch'
 * model.loadStateDict(await file.toStateDict());
 */
export async function openWeights(source: SourceInput, options: OpenWeightsOptions = {}): Promise<WeightsFile> {
  let bytes: ByteSource;
  let format: Awaited<ReturnType<typeof detect>>;
  try {
    bytes = byteSource(source);
    format = await detect(bytes);
  } catch (error) {
    throw asFormatError(error);
  }
  switch (format) {
    case 'safetensors':
      return await openSafetensors(bytes);
    case 'safetensorsIndex':
      return await openShardedSafetensors(bytes, options);
    case 'torch':
      return (await openTorch(bytes)).stateDict(options.torch);
    case 'numpy':
      return await openNumpy(bytes);
    case 'tfjs':
      return await openTfjs(bytes, options);
    case 'onnx':
      return await openOnnx(bytes, options);
  }
}

async function detect(bytes: ByteSource) {
  return await runOnSource(detectFormat(bytes.size), readAhead(bytes, 4096));
}

function asFormatError(error: unknown): unknown {
  if (error instanceof SourceError) {
    const code = error.code === 'InvalidArgument' ? 'InvalidArgument' : 'IoError';
    return new WeightsFormatError(code, error.detail, { cause: error });
  }
  if (error instanceof ZipError) {
    const message = `this is a zip archive that cannot be read: ${error.detail}`;
    return new WeightsFormatError('DamagedArchive', message, { cause: error });
  }
  return error;
}
