import type { Handler } from '../handler.ts';
import { operator, operatorTraining } from './operator.ts';
import { pixels } from './pixels.ts';

/** Everything of Attention-in-Attention and of the residual networks around it. */
export const aiaHandlers: readonly Handler[] = [operator, operatorTraining, pixels];
