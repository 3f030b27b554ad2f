import { setupBackend } from '@saccade/tensor-ops/node';
import { beforeAll, describe, expect, it } from 'vitest';
import { DG_STUDY } from './dgStudy.ts';
import { LISA_PICTURES_STUDY, LISA_STUDY } from './lisaStudy.ts';

beforeAll(() => setupBackend('wasm'));

describe.each([LISA_STUDY, LISA_PICTURES_STUDY, DG_STUDY])('the settings of $id', ({ tasks, settings, reference }) => {
  const [task] = tasks;
  const wanted = settings.find(({ id }) => id === reference)?.cost(task).params as number;

  it.each(settings)(
    '$id has the parameters of the reference, within half a percent, and as its cost says',
    (setting) => {
      const { params } = setting.cost(task);
      expect(Math.abs(params / wanted - 1)).toBeLessThan(0.005);
      const model = setting.create(task, 3);
      expect(model.parameterCount()).toBe(params);
      model.dispose();
    },
  );
});
