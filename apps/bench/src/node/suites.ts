import type { Suite } from '../core/comparison.ts';
import { bundleSuite } from '../suites/bundle/index.ts';
import { dataSuite } from '../suites/data/index.ts';
import { figuresSuite } from '../suites/figures/index.ts';
import { suites } from '../suites/index.ts';
import { weightsSuite } from '../suites/weights/index.ts';

/** Suites of Node: those for both homes, and those that need files, processes or bundlers. */
export const nodeSuites: readonly Suite[] = [...suites, weightsSuite, dataSuite, bundleSuite, figuresSuite];
