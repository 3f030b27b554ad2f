export { decodeImage } from './decode/node/decodeImage.ts';
export { loadImage } from './decode/node/loadImage.ts';
export { openVideo } from './video/node/openVideo.ts';
