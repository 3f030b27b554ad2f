export { cacheDirectory } from './fetch/node/cacheDirectory.ts';
export { fetchWeights } from './fetch/node/fetchWeights.ts';
export { type FileCacheOptions, fileCache } from './fetch/node/fileCache.ts';
export { OpenedWeightsFile, openWeightsFile } from './openWeightsFile.ts';
export { FileSource, openFile } from './source/openFile.ts';
