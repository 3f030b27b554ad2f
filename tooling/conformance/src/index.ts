export { type Check, Checks, passes } from './Checks.ts';
export { GoldenError } from './errors.ts';
export { Golden } from './Golden.ts';
export type { Handler } from './handler.ts';
export { handlerOf } from './registry.ts';
export { type FileResult, goldenFiles, replayFile } from './replay.ts';
export { fileLine, totalsLine } from './report.ts';
export { type Group, Manifest, type ToleranceOf } from './tolerances.ts';
