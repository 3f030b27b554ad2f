import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { blobFiles } from '../files/blobFiles.ts';
import { inflate } from '../files/inflate.ts';
import { problemOf } from '../testing/thrown.ts';
import { readJson } from './json.ts';
import { parseTable } from './table.ts';
import { type Line, labelFrom, linesOf, readText, streamLines } from './text.ts';

function fileOf(...parts: BlobPart[]) {
  return blobFiles([['file', new Blob(parts)]]);
}

async function collect(text: string | Uint8Array<ArrayBuffer>, pieceBytes?: number): Promise<Line[]> {
  const file = await fileOf(text).open('file');
  const lines: Line[] = [];
  for await (const line of streamLines(file, 'file', pieceBytes === undefined ? {} : { pieceBytes })) lines.push(line);
  return lines;
}

describe('streamLines', () => {
  it('gives the lines that a whole text has, wherever pieces end', async () => {
    const part = fc.constantFrom('a', 'é', '\n', '\r\n', ' ', '𝄞', ',');
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 30 }), fc.integer({ min: 1, max: 9 }), async (parts, pieceBytes) => {
        const text = parts.join('');
        expect(await collect(text, pieceBytes)).toEqual(linesOf(text));
      }),
    );
  });

  it('refuses endless lines, and bytes that are no text', async () => {
    expect(await problemOf(() => collect('x'.repeat(3 * 2 ** 20)))).toMatchObject({ argument: 'file, line 1' });
    expect((await problemOf(() => collect(Uint8Array.of(0x61, 0xff)))).expected).toBe('text in UTF-8');
    expect((await problemOf(() => collect(Uint8Array.of(0x61, 0xc3)))).expected).toBe('text in UTF-8');
  });
});

describe('readText', () => {
  it('drops a byte order mark, and refuses what is no text or too large', async () => {
    expect(await readText(fileOf('\ufefflabel,id'), 'file')).toBe('label,id');
    expect((await problemOf(() => readText(fileOf(Uint8Array.of(0x1f, 0x8b, 8)), 'file'))).code).toBe('annotation');
    expect((await problemOf(() => readText(fileOf('abc'), 'file', { maxBytes: 2 }))).actual).toBe('3 bytes');
    expect((await problemOf(() => readText(fileOf('abc'), 'other'))).code).toBe('missing');
  });
});

describe('parseTable', () => {
  it('reads quoted fields and tells their lines', () => {
    expect(parseTable('a,"b, ""c""",d\r\n\n"x",,\n', ',', 'f')).toEqual([
      { line: 1, fields: ['a', 'b, "c"', 'd'] },
      { line: 3, fields: ['x', '', ''] },
    ]);
    expect(parseTable('1;a, b\n2;c', ';', 'f').map(({ fields }) => fields)).toEqual([
      ['1', 'a, b'],
      ['2', 'c'],
    ]);
  });

  it('notices a quote that is not closed', () => {
    expect(() => parseTable('a,b\n"c,d\ne,f\n', ',', 'f')).toThrow('f, line 2: expected a quote that is closed');
  });
});

describe('labelFrom', () => {
  it('counts from 0 or from 1, and refuses everything else', () => {
    expect([labelFrom('0', 3, 'p'), labelFrom('2', 3, 'p'), labelFrom('3', 3, 'p', 1)]).toEqual([0, 2, 2]);
    expect(labelFrom('7', undefined, 'p')).toBe(7);
    for (const [field, first] of [
      ['3', 0],
      ['0', 1],
      ['4', 1],
      ['-1', 0],
      ['1.0', 0],
      ['0x1', 0],
      ['', 0],
      [undefined, 0],
      ['1e0', 0],
      ['99999999999999999', 0],
    ] as const) {
      expect(() => labelFrom(field, 3, 'list, line 9', first)).toThrow(/^list, line 9: expected a label from/);
    }
  });
});

describe('readJson', () => {
  const schema = v.array(v.object({ id: v.string(), times: v.array(v.number()) }));

  it('names the place that is not as it should be', async () => {
    expect(await readJson(fileOf('[{"id":"a","times":[1,2]}]'), 'file', schema)).toEqual([{ id: 'a', times: [1, 2] }]);
    for (const [json, place] of [
      ['[{"id":"a","times":[1,"2"]}]', 'file, 0.times.1'],
      ['[{"id":"a","times":[]},{"id":"a"}]', 'file, 1.times'],
      ['{}', 'file'],
      ['[', 'file'],
      ['', 'file'],
    ] as const) {
      expect(await problemOf(() => readJson(fileOf(json), 'file', schema))).toMatchObject({
        code: 'annotation',
        argument: place,
      });
    }
  });

  it('answers any JSON with data or a DatasetError', async () => {
    await fc.assert(
      fc.asyncProperty(fc.json(), async (json) => {
        const read = readJson(fileOf(json), 'file', schema);
        await read.catch((error: unknown) => expect(error).toMatchObject({ name: 'DatasetError' }));
      }),
    );
  });
});

describe('inflate', () => {
  it('stops at the limit', async () => {
    const zeros = new Blob([new Uint8Array(10 ** 6)]).stream().pipeThrough(new CompressionStream('gzip'));
    const packed = new Uint8Array(await new Response(zeros).arrayBuffer());
    const options = { source: 'f.gz', maxBytes: 10 ** 6 };
    expect((await inflate(packed, 'gzip', options)).length).toBe(10 ** 6);
    const problem = await problemOf(() => inflate(packed, 'gzip', { ...options, maxBytes: 10 ** 6 - 1 }));
    expect(problem.expected).toContain('at most');
    for (const broken of [packed.slice(0, -9), packed.slice(5), new Uint8Array(0)]) {
      expect((await problemOf(() => inflate(broken, 'gzip', options))).actual).toContain('damaged');
    }
  });
});
