import { beforeAll, describe, expect, it } from 'vitest';
import { syntheticReport } from './testing/synthetic.ts';
import type { DemoReport, ModelReport } from './types.ts';
import { ReportError } from './validate.ts';
import { writeReport } from './writeReport.ts';

let data: DemoReport;
let page: string;
beforeAll(async () => {
  data = await syntheticReport();
  page = writeReport(data);
});

const count = (pattern: RegExp, text = page) => text.match(pattern)?.length ?? 0;

/** Names of elements in order of opening, checking that each closes what was opened last. */
function checkNesting(text: string): void {
  const empty = new Set(['meta', 'img', 'input', '!doctype']);
  const bare = text.replace(/<(style|script)>[\s\S]*?<\/\1>/g, '');
  const open: string[] = [];
  for (const [, slash, name = '', self] of bare.matchAll(/<(\/?)([!a-zA-Z][a-zA-Z0-9]*)(?:[^<>"]|"[^"]*")*?(\/?)>/g)) {
    if (slash) expect(open.pop()).toBe(name);
    else if (!self && !empty.has(name)) open.push(name);
  }
  expect(open).toEqual([]);
}

describe('writeReport', () => {
  it('makes one page that reaches nothing outside', () => {
    expect(page.startsWith('<!doctype html>')).toBe(true);
    const sources = [...page.matchAll(/\b(?:src|href|srcset|action|poster)="([^"]*)"/g)].map(([, value = '']) => value);
    expect(sources.length).toBeGreaterThan(16);
    expect(sources.filter((value) => !/^(data:image\/png;base64,[A-Za-z0-9+/=]+|#[\w-]+)$/.test(value))).toEqual([]);
    expect(page).not.toMatch(/https?:|@import|url\(|\bfetch\(|import\(|XMLHttpRequest/);
    expect(page).toContain('default-src &#39;none&#39;; img-src data:');
  });

  it('stays below 3 MB', () => {
    expect(page.length).toBeLessThan(3e6);
  });

  it('is well formed, with unique ids and references that lead somewhere', () => {
    checkNesting(page);
    const ids = [...page.matchAll(/\bid="([^"]*)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of page.matchAll(/(?:aria-labelledby|href)="#?([\w-]+)"/g)) expect(ids).toContain(target);
  });

  it('has every part', () => {
    for (const id of ['results', 'accuracy', 'clips', 'maps', 'confusion', 'training', 'about']) {
      expect(page).toContain(`<section id="${id}"`);
    }
    expect(count(/<canvas /g)).toBe(16);
    expect(count(/class="confusion"/g)).toBe(2);
    expect(count(/class="bar-row"/g)).toBe(8);
    expect(count(/<figure class="map">/g)).toBe(4);
    // One marked query in each frame row and in the map itself: 1 + 1 for T = 8, 2 + 1 where a step covers two frames.
    expect(count(/class="query"/g)).toBe(2 * (2 + 3));
  });

  it('names every picture and control for those who do not see it', () => {
    for (const [tag] of page.matchAll(/<img [^>]*>/g)) expect(tag).toMatch(/alt="[^"]+"/);
    for (const [tag] of page.matchAll(/<(?:canvas|svg) [^>]*>/g)) expect(tag).toMatch(/role="img" aria-label="[^"]+"/);
    for (const [tag] of page.matchAll(/<input [^>]*>/g)) expect(tag).toMatch(/aria-label="[^"]+"/);
    for (const [tag] of page.matchAll(/<div class="scroll"[^>]*>/g))
      expect(tag).toMatch(/tabindex="0" role="region" aria-label/);
  });

  it('computes accuracy from the confusion matrix, and says whether intervals overlap', () => {
    const confusion = (right: number) =>
      Uint32Array.from({ length: 256 }, (_, i) => (i === 0 ? right : i === 1 ? 100 - right : 0));
    const [first, second] = data.models;
    const pair = (a: number, b: number) =>
      writeReport({
        ...data,
        models: [
          { ...first, confusion: confusion(a) },
          { ...second, confusion: confusion(b) },
        ],
      });
    expect(pair(90, 50)).toContain('names the motion in <strong>90.0\u00a0%</strong> of\n100 held-out clips');
    expect(pair(90, 50)).toContain('do not overlap');
    expect(pair(60, 58)).toContain('cannot be told apart');
  });

  it('escapes every string it is given', () => {
    const nasty = `<img src=x onerror=alert(1)>"'&`;
    const poison = <T>(value: T): T => {
      if (typeof value === 'string') return `${value}${nasty}` as T;
      if (Array.isArray(value)) return value.map(poison) as T;
      if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return value;
      return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, poison(part)])) as T;
    };
    const poisoned = writeReport(poison(data));
    expect(poisoned).not.toContain('<img src=x');
    expect(count(/&lt;img src=x onerror=alert\(1\)&gt;&quot;&#39;&amp;/g, poisoned)).toBeGreaterThan(100);
    checkNesting(poisoned);
  });

  it('leaves out what was not measured', () => {
    const bare = ({ training: _, seeds: __, ...model }: ModelReport): ModelReport => model;
    const small = writeReport({
      ...data,
      models: [bare(data.models[0]), { ...bare(data.models[1]), peakMemoryBytes: Number.NaN }],
      gallery: [],
    });
    for (const id of ['clips', 'maps', 'training']) expect(small).not.toContain(`<section id="${id}"`);
    expect(small).toContain('<td>–</td>');
    expect(small).not.toMatch(/NaN|undefined|null/);
    checkNesting(small.replace(/<script>[\s\S]*<\/script>/, ''));
  });

  it('shows a diverged run: gaps in the curve, no NaN in the page', () => {
    const [first, second] = data.models;
    const loss = { step: [1, 2, 3], value: [2, Number.NaN, 1] };
    const text = writeReport({ ...data, models: [{ ...first, training: { steps: 3, seconds: 1, loss } }, second] });
    expect(text.replace(/<script>[\s\S]*<\/script>/, '')).not.toContain('NaN');
  });

  it('refuses data that do not fit together', () => {
    const [clip] = data.gallery;
    const broken: [string, DemoReport][] = [
      [
        'models[0].confusion',
        { ...data, models: [{ ...data.models[0], confusion: new Uint32Array(9) }, data.models[1]] },
      ],
      [
        'models[1].confusion',
        { ...data, models: [data.models[0], { ...data.models[1], confusion: new Uint32Array(256) }] },
      ],
      ['gallery[0].label', { ...data, gallery: [{ ...clip!, label: 16 }] }],
      ['gallery[0].frames.pixels', { ...data, gallery: [{ ...clip!, frames: { ...clip!.frames, count: 9 } }] }],
      [
        'gallery[0].probabilities[1]',
        { ...data, gallery: [{ ...clip!, probabilities: [clip!.probabilities[0], new Float32Array(3)] }] },
      ],
    ];
    for (const [field, report] of broken) {
      expect(() => writeReport(report)).toThrow(ReportError);
      expect(() => writeReport(report)).toThrow(field);
    }
    const map = data.gallery[4]!.maps![0]!;
    const astray = { ...map, query: { ...map.query, row: 8 } };
    expect(() => writeReport({ ...data, gallery: [{ ...clip!, maps: [astray] }] })).toThrow('gallery[0].maps[0].query');
  });
});
