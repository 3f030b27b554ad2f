import type { Handler } from '../handler.ts';
import { attentionMap } from './attentionMap.ts';
import { block } from './block.ts';
import { delta } from './delta.ts';
import { inflation } from './inflation.ts';
import { operator } from './operator.ts';
import { preprocessing } from './preprocessing.ts';
import { structvit } from './structvit.ts';
import { training } from './training.ts';
import { uniformer } from './uniformer.ts';

/** StructSA, StructViT and UniFormer, with the preprocessing that goes with them. */
export const structsaHandlers: readonly Handler[] = [
  operator,
  attentionMap,
  block,
  uniformer,
  structvit,
  delta,
  inflation,
  training,
  preprocessing,
];
