import type { ProbedValue } from './probes.ts';
import type { Study } from './studies.ts';

/** What one setting's probe saw under one name, over the steps of training. */
export interface ProbeSeries {
  /** id of the setting */
  readonly setting: string;
  readonly name: string;
  /** over the seeds, by step */
  readonly means: readonly { readonly step: number; readonly value: number }[];
}

/** Means over seeds, in the order of the study's settings and of the names as they were seen. */
export function meansOfProbes({ settings }: Study, probes: readonly ProbedValue[]): ProbeSeries[] {
  const names = [...new Set(probes.map(({ name }) => name))];
  return settings.flatMap(({ id }) =>
    names.flatMap((name) => {
      const own = probes.filter((one) => one.setting === id && one.name === name);
      const steps = [...new Set(own.map(({ step }) => step))].sort((a, b) => a - b);
      const means = steps.map((step) => {
        const values = own.filter((one) => one.step === step).map(({ value }) => value);
        return { step, value: values.reduce((sum, value) => sum + value, 0) / values.length };
      });
      return means.length > 0 ? [{ setting: id, name, means }] : [];
    }),
  );
}
