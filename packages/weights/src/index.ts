export type { SafetensorsInfo } from './safetensors/directory.ts';
export { SafetensorsError, type SafetensorsErrorCode, TensorNotFoundError } from './safetensors/errors.ts';
export { type ByteSource, type LazySafetensorsFile, openSafetensors } from './safetensors/open.ts';
export { parseSafetensors, type SafetensorsFile } from './safetensors/parse.ts';
export { serializeSafetensors } from './safetensors/serialize.ts';
export { parseSafetensorsIndex, type SafetensorsIndex } from './safetensors/shardIndex.ts';
export type { OpaqueDtype } from './safetensors/storedTypes.ts';
export type { Dtype, StateTensor, TensorData } from './stateTensor.ts';
