export { browserCache, cacheApiCache, memoryCache, opfsCache } from './fetch/browser/caches.ts';
export {
  type AcquireOptions,
  type CacheOptions,
  LostRightError,
  type PartialWeights,
  type Placement,
  type StoredWeights,
  type Version,
  type WeightsCache,
} from './fetch/cache.ts';
export { FetchWeightsError, type FetchWeightsErrorCode } from './fetch/errors.ts';
export type { FetchWeights } from './fetch/fetchWeights.ts';
export type { FetchedWeights, FetchProgress, FetchWeightsOptions, HeaderPairs } from './fetch/options.ts';
export { fetchWeights } from './fetch/portable.ts';
export { type ReferenceOptions, weightsId } from './fetch/reference.ts';
export type { LazyWeights } from './lazyWeights.ts';
export {
  addPrefix,
  applyKeyMap,
  IDENTITY_KEYS,
  invertKeyMap,
  joinKeyMaps,
  type KeyMap,
  type KeyMapReport,
  type KeyRule,
  stripPrefix,
} from './names/keyMap.ts';
export { KeyMapError, type KeyMapErrorCode } from './names/keyMapError.ts';
export { KEY_LAYOUTS, type KeyLayout, keyLayoutOf, keyMapBetween } from './names/layouts.ts';
export { DEIT3_KEYS, IMAGE_TO_VIDEO_KEYS, keyMap, listKeyMaps, TSM_KEYS, tsmKeys } from './names/maps.ts';
export { unwrapper } from './names/wrappers.ts';
export { NumpyFileError, type NumpyFileErrorCode } from './numpy/errors.ts';
export { openNumpy } from './numpy/openNumpy.ts';
export { OnnxFileError, type OnnxFileErrorCode } from './onnx/errors.ts';
export type { OnnxOpaqueDtype } from './onnx/onnxTypes.ts';
export { type OpenOnnxOptions, openOnnx } from './onnx/openOnnx.ts';
export { WeightsFormatError, type WeightsFormatErrorCode } from './open/errors.ts';
export { type OpenWeightsOptions, openWeights } from './open.ts';
export type { PickleValue } from './pickle/values.ts';
export type { SafetensorsInfo } from './safetensors/directory.ts';
export { SafetensorsError, type SafetensorsErrorCode, TensorNotFoundError } from './safetensors/errors.ts';
export { nearNames } from './safetensors/nearNames.ts';
export { type LazySafetensorsFile, openSafetensors } from './safetensors/open.ts';
export { type OpenShardedOptions, openShardedSafetensors } from './safetensors/openSharded.ts';
export { parseSafetensors, type SafetensorsFile } from './safetensors/parse.ts';
export { serializeSafetensors } from './safetensors/serialize.ts';
export { parseSafetensorsIndex, type SafetensorsIndex } from './safetensors/shardIndex.ts';
export type { OpaqueDtype } from './safetensors/storedTypes.ts';
export { streamSafetensors, type TensorToWrite } from './safetensors/stream.ts';
export { type ShardResolver, shardsBeside } from './shards/resolve.ts';
export type { ByteSource, SourceInput } from './source/byteSource.ts';
export { SourceError, type SourceErrorCode } from './source/errors.ts';
export type { FetchFunction } from './source/httpRange.ts';
export { type OpenUrlOptions, openUrl } from './source/openUrl.ts';
export { type SpoolOptions, spoolStream } from './source/spool.ts';
export type { Dtype, StateTensor, TensorData } from './stateTensor.ts';
export { TfjsFileError, type TfjsFileErrorCode } from './tfjs/errors.ts';
export { type OpenTfjsOptions, openTfjs } from './tfjs/openTfjs.ts';
export { TorchFileError, type TorchFileErrorCode } from './torch/errors.ts';
export { NumpyArray } from './torch/numpyObjects.ts';
export { Namespace, TorchConstant, TorchDtype, TorchStorage, TorchTensor } from './torch/objects.ts';
export { type LazyTorchCheckpoint, openTorch, parseTorch, type TorchCheckpoint } from './torch/openTorch.ts';
export type { StateOptions } from './torch/selectState.ts';
export { serializeTorch } from './torch/serializeTorch.ts';
export type { LazyTorchStateDict, TorchStateDict, TorchTensorInfo } from './torch/stateDict.ts';
export type { TorchOpaqueDtype } from './torch/torchTypes.ts';
export { WeightsError } from './weightsError.ts';
export type { ReadOptions, TensorInfo, WeightsFile, WeightsFormat } from './weightsFile.ts';
