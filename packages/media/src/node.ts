export { decodeImage } from './decode/node/decodeImage.ts';
export { loadImage } from './decode/node/loadImage.ts';
export { type FrameFolderOptions, openFrameFiles, openFrameFolder } from './video/node/frameFolder.ts';
export { type NodeVideoOptions, openVideo } from './video/node/openVideo.ts';
