import type { Suite } from '../core/comparison.ts';
import { backbonesSuite } from './backbones/index.ts';
import { operatorsSuite } from './operators/index.ts';
import { tensorOpsSuite } from './tensorOps/index.ts';

/** Suites for both homes, in the order in which they run. */
export const suites: readonly Suite[] = [operatorsSuite, tensorOpsSuite, backbonesSuite];
