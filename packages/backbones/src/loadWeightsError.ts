import type { LoadReport } from '@saccade/nn';
import { SaccadeError } from '@saccade/tensor-ops';
import type { KeyLayout } from '@saccade/weights';
import { arePositions, gainsTime } from './loadWeightsShapes.ts';
import { nameHint, section, suggest } from './reportText.ts';

const NOTHING: LoadReport = { missing: [], unexpected: [], misshapen: [] };

/** Weights do not fit a model; nothing was loaded. The message says why and what to do, `report` holds all that differs. */
export class LoadWeightsError extends SaccadeError {
  override readonly name = 'LoadWeightsError';
  /** names as they are after renaming; empty if the weights are another thing altogether */
  readonly report: LoadReport;

  /** @param what a sentence; or what differs, with a way to know names of classifiers */
  constructor(what: string | { readonly report: LoadReport; readonly isHead: (name: string) => boolean }) {
    super(
      typeof what === 'string'
        ? `weights: ${what} Nothing was loaded.`
        : ['weights: they do not fit this model; nothing was loaded.', ...describe(what.report, what.isHead)].join(
            '\n',
          ),
    );
    this.report = typeof what === 'string' ? NOTHING : what.report;
  }

  /** Of a known layout that no model takes. */
  static refused({ title, refusal }: KeyLayout): LoadWeightsError {
    return new LoadWeightsError(`the names are those of ${title}. ${refusal}`);
  }

  /** Of a known layout, for a model of another. */
  static otherArchitecture(file: KeyLayout | undefined, model: KeyLayout | undefined): LoadWeightsError {
    return new LoadWeightsError(
      `the names are those of ${file?.title}, and the model is ${model?.title}. Build a model of that architecture ` +
        'for them, or pass a map of the names as { map }.',
    );
  }
}

function describe({ missing, unexpected, misshapen }: LoadReport, isHead: (name: string) => boolean): string[] {
  const classes = misshapen.find(
    ({ name, expected, actual }) =>
      isHead(name) && name.endsWith('.weight') && `${expected.slice(1)}` === `${actual.slice(1)}`,
  );
  // That they differ in their number of classes says all about them.
  const others = classes === undefined ? misshapen : misshapen.filter(({ name }) => !isHead(name));
  const time = others.filter(({ expected, actual }) => gainsTime(actual, expected));
  const positions = others.find(({ name, expected, actual }) => arePositions(name, actual, expected));
  return [
    ...(classes === undefined ? [] : [classCount(classes.name, classes.expected, classes.actual)]),
    ...section('missing in the weights', missing, (name) => suggest(name, unexpected)),
    ...section('unexpected in the weights', unexpected, (name) => suggest(name, missing)),
    ...section(
      'of another shape',
      others,
      ({ name, expected, actual }) => `${name}: expected [${expected}], got [${actual}]`,
    ),
    ...(time.length === 0
      ? []
      : ['They are those of images, and the model reads clips: pass { inflate: true } to spread them over time.']),
    ...(positions === undefined ? [] : [positionHint(missing, unexpected)]),
    ...filterHint(missing),
    ...[nameHint({ missing, unexpected }) ?? strictHint({ missing, unexpected, misshapen })].filter(
      (line) => line !== '',
    ),
  ];
}

function classCount(name: string, expected: readonly number[], actual: readonly number[]): string {
  return (
    `The weights are for ${actual[0]} classes (${name} is [${actual}]), the model has ${expected[0]}: pass ` +
    `{ head: 'replace' } to keep the model's new classifier, or build the model with { numClasses: ${actual[0]} }.`
  );
}

function positionHint(missing: readonly string[], unexpected: readonly string[]): string {
  if (unexpected.includes('cls_token')) {
    return 'The model has no class token: pass what dropClassToken() makes of the state dict.';
  }
  if (missing.includes('cls_token')) return "The model has a class token: build one with { pooling: 'mean' }.";
  return 'The positions are those of another grid: pass { resizePositions: true } to resample them.';
}

function filterHint(missing: readonly string[]): string[] {
  if (!missing.some((name) => /\.conv_[kv]\.weight$/.test(name))) return [];
  return [
    'StructSA has filters that weights of plain attention lack: make them by warmStartFromUniFormer(), or pass ' +
      '{ strict: false } to keep the random ones.',
  ];
}

function strictHint({ missing, unexpected, misshapen }: LoadReport): string {
  if (misshapen.length > 0 || missing.length + unexpected.length === 0) return '';
  return 'Load weights of this architecture, or pass { strict: false } to leave out what is missing or unexpected.';
}
