import type { Handler } from '../handler.ts';
import { block } from './block.ts';
import { ema } from './ema.ts';
import { layers } from './layers.ts';
import { network } from './network.ts';
import { operator } from './operator.ts';

/** Everything of DG-Attention and of the Dynamic Group Transformer. */
export const dgHandlers: readonly Handler[] = [operator, ema, layers, block, network];
