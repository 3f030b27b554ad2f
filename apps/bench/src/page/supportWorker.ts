import { supportHere } from './support.ts';

postMessage(await supportHere());
