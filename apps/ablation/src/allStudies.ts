import { AIA_STUDY } from './aiaStudy.ts';
import { DG_STUDY } from './dgStudy.ts';
import { LISA_PICTURES_STUDY, LISA_STUDY } from './lisaStudy.ts';
import { STRUCTSA_STUDY } from './structsaStudy.ts';
import type { Study } from './studies.ts';

/** Everything that `pnpm ablation --study` can run. */
export const STUDIES: readonly Study[] = [STRUCTSA_STUDY, AIA_STUDY, LISA_STUDY, LISA_PICTURES_STUDY, DG_STUDY];
