import type { Handler } from '../handler.ts';
import { hierarchical } from './hierarchical.ts';
import { isotropic } from './isotropic.ts';
import { layer } from './layer.ts';
import { operator } from './operator.ts';
import { resize } from './resize.ts';

/** LiSA: the operator, its layer, two small networks, and tables brought to other grids. */
export const lisaHandlers: readonly Handler[] = [operator, layer, isotropic, hierarchical, resize];
