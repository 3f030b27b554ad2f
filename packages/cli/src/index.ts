export { type RunOptions, runCli } from './run.ts';
