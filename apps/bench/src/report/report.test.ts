import { describe, expect, it } from 'vitest';
import type { RunLine } from '../core/run.ts';
import { writeReport } from './index.ts';
import { RunLinesError } from './run.ts';
import { readPage } from './testing/elements.ts';
import { madeUpDevice, madeUpHeader, madeUpRefusal, madeUpRow, madeUpRun } from './testing/lines.ts';

const run = madeUpRun();
const page = writeReport([run]);
const read = readPage(page);

/** Text of the section with this id. */
function section(id: string, text = page): string {
  const begin = text.indexOf(`<section id="${id}"`);
  if (begin < 0) return '';
  let [depth, at] = [0, begin];
  do {
    const [open, close] = [text.indexOf('<section', at), text.indexOf('</section>', at)];
    const opens = open >= 0 && open < close;
    depth += opens ? 1 : -1;
    at = (opens ? open : close) + 1;
  } while (depth > 0);
  return text.slice(begin, at);
}

const peerRow = madeUpRow({ contender: 'a peer', role: 'peer', around: 2 });

describe('writeReport', () => {
  it('makes one page without scripts that reaches nothing outside', () => {
    const names = new Set(read.elements.map(({ name }) => name));
    for (const name of ['script', 'img', 'link', 'iframe', 'object', 'image', 'use']) expect(names).not.toContain(name);
    const attributes = read.elements.flatMap((element) => Object.entries(element.attributes));
    const reaching = attributes.filter(([name]) => /^(?:src|href|xlink:href|action|on\w+)$/.test(name));
    expect(reaching.length).toBeGreaterThan(1);
    for (const [name, value] of reaching) expect(`${name}=${value}`).toMatch(/^href=#[\w-]+$/);
    expect(/url\(|@import|https?:/.exec(page)).toBeNull();
    expect(page).toContain('default-src &#39;none&#39;');
  });

  it('has unique ids, and references that lead somewhere', () => {
    const ids = read.elements.flatMap(({ attributes }) => attributes.id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { attributes } of read.elements) {
      for (const target of [attributes['aria-labelledby'], attributes.href?.slice(1)]) {
        if (target !== undefined) expect(ids).toContain(target);
      }
    }
  });

  it('has no bare times', () => {
    expect(/\d\s*(?:ms|µs|ns|milliseconds|seconds?)\b/i.exec(read.text)).toBeNull();
    expect(/NaN|undefined|\bnull\b|Infinity/.exec(page)).toBeNull();
    // None of the medians, in whatever unit.
    for (const line of run) {
      const median = line.kind === 'row' ? line.wallMs?.median : undefined;
      if (median !== undefined) expect(read.text).not.toContain(String(median));
    }
  });

  it('describes every chart in words', () => {
    const charts = read.elements.filter(({ attributes }) => attributes.role === 'img');
    expect(charts).toHaveLength(read.elements.filter(({ name }) => name === 'svg').length);
    expect(charts.length).toBeGreaterThan(10);
    for (const { attributes } of charts) expect(attributes['aria-label']?.length).toBeGreaterThan(30);
  });

  it('keeps software apart: never in the GPU section, and labelled where it is', () => {
    expect(section('run-1-gpu').length).toBe(0);
    const software = section('run-1-software');
    expect(software).toContain('a driver on the processor: nothing about a GPU');
    expect(software).toContain('SwiftShader');
    for (const id of ['run-1-processor', 'run-1-losses']) {
      expect(/SwiftShader|webgpu/.exec(section(id))).toBeNull();
      expect(section(id).length).toBeGreaterThan(1000);
    }
  });

  it('has a section for a GPU only, without the rows of software', () => {
    const real = madeUpDevice({ backend: 'webgpu', description: 'NVIDIA H200' });
    const gpuRow = madeUpRow({ backend: 'webgpu', contender: 'on the GPU', around: 3 }, 'itself');
    const gpu = section('run-1-gpu', writeReport([[...run, real, gpuRow]]));
    expect(gpu).toContain('NVIDIA H200');
    expect(gpu).toContain('on the GPU');
    expect(/SwiftShader|LiSA|software/.exec(gpu)).toBeNull();
  });

  it('gives wrong rows no number, and says why', () => {
    const check = { against: 'explicit path', error: 0.2, tolerance: 1e-5 };
    const baseline = madeUpRow({ around: 1 }, 'itself');
    const text = writeReport([[madeUpHeader(), baseline, madeUpRefusal('wrong', { contender: 'liar', check })]]);
    const line = text.slice(text.indexOf('<th scope="row">liar</th>')).split('</tr>')[0];
    expect(line).toContain('<b>wrong</b>: off by 2.0e-1 of the largest value');
    expect(line).not.toContain('×');
    expect(line?.split('<td')).toHaveLength(2);
  });

  it('folds long reasons, and cuts off endless ones', () => {
    const text = writeReport([[madeUpHeader(), madeUpRefusal('failed', { reason: 'because '.repeat(10_000) })]]);
    expect(text.length).toBeLessThan(25_000);
    expect(text).toContain('<details><summary><b>failed</b>: because');
  });

  it('shows the numbers that embarrass, the worst first, and says so if there are none', () => {
    const losses = section('run-1-losses');
    expect(losses.indexOf('tsm-resnet50')).toBeLessThan(losses.indexOf('vit-s'));
    expect(losses).toContain('onnxruntime-node');
    expect(losses).toContain('LiSA');
    const gap = [madeUpHeader(), madeUpRefusal('skipped', { contender: 'plain attention (fused)' }), peerRow];
    expect(section('run-1-losses', writeReport([gap]))).toContain('A peer was measured and nothing of ours: 1 time<');
    const none = section('run-1-losses', writeReport([[madeUpHeader(), madeUpRow({ around: 1 }, 'itself')]]));
    expect(none).toContain('No peer was measured here');
    expect(none).toContain('Nothing of ours is slower');
  });

  it('escapes every string it is given', () => {
    const nasty = `<img src=x onerror=alert(1)>"'&`;
    const kept = ['kind', 'status', 'role', 'home', 'scale', 'limit', 'quantity', 'date'];
    const poison = <T>(value: T, key = ''): T => {
      if (typeof value === 'string') return (kept.includes(key) ? value : `${value}${nasty}`) as T;
      if (Array.isArray(value)) return value.map((item) => poison(item)) as T;
      if (value === null || typeof value !== 'object') return value;
      return Object.fromEntries(
        Object.entries(value).map(([name, part]) => [
          ['parameters', 'quantities', 'options', 'versions'].includes(key) ? `${name}${nasty}` : name,
          poison(part, name),
        ]),
      ) as T;
    };
    const text = writeReport([poison(run as RunLine[])]);
    expect(text.includes('<img')).toBe(false);
    expect(text.split('&lt;img src=x onerror=alert(1)&gt;&quot;').length).toBeGreaterThan(100);
    expect(readPage(text).elements.length).toBeGreaterThan(1000);
  });

  it('has a section for every run', () => {
    const other = madeUpHeader({ home: 'browser', machine: { processor: 'Other', cores: 8, system: 'Android' } });
    const both = writeReport([run, [other, madeUpDevice(), madeUpRow({ around: 2 }, 'itself')]]);
    expect(section('run-2', both)).toContain('Other, 8 cores');
    expect(section('run-1', both)).not.toContain('Android');
    expect(readPage(both).elements.length).toBeGreaterThan(read.elements.length);
  });

  it('stays below 2 MB with 1,500 rows', () => {
    const rows = run.flatMap((line) => (line.kind === 'row' ? [line] : []));
    const many = Array.from({ length: 5 }, (_, copy) =>
      rows.map((row) => ({ ...row, suite: `${row.suite}-${copy}`, parameters: { ...row.parameters, copy } })),
    ).flat();
    expect(many.length).toBeGreaterThan(1500);
    expect(writeReport([[madeUpHeader(), madeUpDevice(), ...many]]).length).toBeLessThan(2e6);
  });

  it('refuses what is no run', () => {
    expect(() => writeReport([[]])).toThrow(RunLinesError);
    expect(() => writeReport([[madeUpDevice()]])).toThrow('expected a header (kind "run") first, got device');
    expect(() => writeReport([[madeUpHeader(), madeUpHeader()]])).toThrow('several headers');
  });
});
