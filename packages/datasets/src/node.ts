export { type NodeFilesOptions, nodeFiles } from './files/nodeFiles.ts';
export { readInWorkers, type WorkersOptions } from './loader/workers/readInWorkers.ts';
export { type LoadMnistOptions, loadMnist } from './mnist.ts';
