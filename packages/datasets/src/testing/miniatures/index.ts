import type { Installation } from '../install.ts';
import { ade20k, fashionMnist, imageNet } from './images.ts';
import { diving48, egtea, fineGym, kinetics, somethingV1, somethingV2 } from './videos.ts';

/** Miniature installations by name, in the layouts in which the data sets come. */
export const MINIATURES: Readonly<Record<string, () => Promise<Installation>>> = {
  ade20k,
  diving48,
  egtea,
  'fashion-mnist': fashionMnist,
  finegym: fineGym,
  imagenet: imageNet,
  kinetics,
  'something-v1': somethingV1,
  'something-v2': somethingV2,
};
