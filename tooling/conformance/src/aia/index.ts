import type { Handler } from '../handler.ts';
import { bottleneck } from './bottleneck.ts';
import { network } from './network.ts';
import { operator, operatorTraining } from './operator.ts';
import { pixels } from './pixels.ts';
import { shift } from './shift.ts';
import { training } from './training.ts';

/** Everything of Attention-in-Attention and of the residual networks around it. */
export const aiaHandlers: readonly Handler[] = [
  bottleneck,
  network,
  operator,
  operatorTraining,
  pixels,
  shift,
  training,
];
