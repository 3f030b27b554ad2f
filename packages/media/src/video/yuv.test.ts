import { describe, expect, it } from 'vitest';
import { DecodeError } from '../errors.ts';
import { noise } from '../testing/pixels.ts';
import { colourSpaceOf } from './colour.ts';
import { framePixels } from './framePixels.ts';
import { yuvToRgb } from './yuv.ts';

const [WIDTH, HEIGHT] = [7, 5];
const SIZE = { width: WIDTH, height: HEIGHT };

/** The definition in real numbers: matrices of BT.601 and BT.709 as their tables print them, for values of 0 to 1. */
const MATRICES = {
  bt601: [1.402, -0.344136, -0.714136, 1.772],
  bt709: [1.5748, -0.187324, -0.468124, 1.8556],
} as const;

function real(y: number, u: number, v: number, matrix: 'bt601' | 'bt709', fullRange: boolean): number[] {
  const [redV, greenU, greenV, blueU] = MATRICES[matrix];
  const light = fullRange ? y : ((y - 16) * 255) / 219;
  const [cb, cr] = [u, v].map((value) => (fullRange ? value - 128 : ((value - 128) * 255) / 224)) as [number, number];
  return [light + redV * cr, light + greenU * cb + greenV * cr, light + blueU * cb].map((value) =>
    Math.max(0, Math.min(255, value)),
  );
}

describe('yuvToRgb', () => {
  it.each([
    ['I420', 2, 2],
    ['I422', 2, 1],
    ['I444', 1, 1],
    ['NV12', 2, 2],
  ] as const)('is within a half of the real numbers, each colour sample repeated: %s', (format, across, down) => {
    const [columns, rows] = [Math.ceil(WIDTH / across), Math.ceil(HEIGHT / down)];
    const step = format === 'NV12' ? 2 : 1;
    const uv = step * columns;
    // Rows are padded, and planes do not begin where the one before ends.
    const layout = [
      { offset: 3, stride: WIDTH + 2 },
      { offset: 100, stride: uv + 1 },
      { offset: 200, stride: uv + 3 },
    ].slice(0, step === 2 ? 2 : 3);
    const bytes = noise(300, 1, 1, 9).data;
    const at = (plane: number, x: number, y: number) => bytes[layout[plane]!.offset + y * layout[plane]!.stride + x]!;
    for (const matrix of ['bt601', 'bt709'] as const) {
      for (const fullRange of [false, true]) {
        const rgb = yuvToRgb(bytes, format, layout, SIZE, { matrix, fullRange });
        for (let y = 0; y < HEIGHT; y++) {
          for (let x = 0; x < WIDTH; x++) {
            const [column, row] = [Math.floor(x / across), Math.floor(y / down)];
            const u = at(1, step * column, row);
            const v = step === 2 ? at(1, 2 * column + 1, row) : at(2, column, row);
            const expected = real(at(0, x, y), u, v, matrix, fullRange);
            expected.forEach((value, c) => {
              expect(Math.abs(rgb[3 * (y * WIDTH + x) + c]! - value)).toBeLessThan(0.51);
            });
          }
        }
        expect(rows * columns).toBeGreaterThan(1);
      }
    }
  });

  it('gives black, white and grey as they are', () => {
    const grey = (y: number, fullRange: boolean) =>
      yuvToRgb(
        Uint8Array.of(y, 128, 128),
        'I444',
        [0, 1, 2].map((offset) => ({ offset, stride: 1 })),
        { width: 1, height: 1 },
        {
          matrix: 'bt709',
          fullRange,
        },
      );
    expect([...grey(16, false), ...grey(235, false), ...grey(0, false), ...grey(255, false)]).toEqual([
      0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 255, 255,
    ]);
    for (let y = 0; y < 256; y++) expect([...grey(y, true)]).toEqual([y, y, y]);
  });
});

describe('colourSpaceOf', () => {
  it('follows the caller, then the file, then FFmpeg', () => {
    expect(colourSpaceOf({})).toEqual({ matrix: 'bt601', fullRange: false });
    expect(colourSpaceOf({ matrix: null, fullRange: null })).toEqual({ matrix: 'bt601', fullRange: false });
    expect(colourSpaceOf({ matrix: 'smpte170m' })).toEqual({ matrix: 'bt601', fullRange: false });
    expect(colourSpaceOf({ matrix: 'bt709', fullRange: true })).toEqual({ matrix: 'bt709', fullRange: true });
    expect(colourSpaceOf({ matrix: 'bt709' }, { matrix: 'bt601' }).matrix).toBe('bt601');
    expect(colourSpaceOf({ matrix: 'bt2020-ncl' }, { matrix: 'bt709' }).matrix).toBe('bt709');
    for (const matrix of ['bt2020-ncl', 'rgb', 'toString'])
      expect(() => colourSpaceOf({ matrix })).toThrow(DecodeError);
  });
});

describe('framePixels', () => {
  const frame = (format: string | null, bytes: Uint8Array, layout: { offset: number; stride: number }[]) => ({
    format,
    visibleRect: SIZE,
    allocationSize: () => bytes.length,
    copyTo: async (destination: Uint8Array) => {
      destination.set(bytes);
      return layout;
    },
  });
  const colours = () => ({ matrix: 'bt601', fullRange: false }) as const;

  it.each(['RGBA', 'BGRX'])('takes the colours of %s', async (format) => {
    const bytes = noise(WIDTH, HEIGHT, 4, 2).data;
    const { data } = await framePixels(frame(format, bytes, [{ offset: 0, stride: 4 * WIDTH }]), colours);
    const order = format === 'RGBA' ? [0, 1, 2] : [2, 1, 0];
    const expected = Array.from({ length: WIDTH * HEIGHT }, (_, i) => order.map((c) => bytes[4 * i + c]!)).flat();
    expect([...data]).toEqual(expected);
  });

  it.each([null, 'I420P10', 'P010'])('refuses the format %s', async (format) => {
    await expect(framePixels(frame(format, new Uint8Array(9), []), colours)).rejects.toThrow(/^Unsupported: .*8-bit/);
  });

  it('refuses planes that leave out the last column', async () => {
    const half = Math.floor(WIDTH / 2);
    const layout = [
      { offset: 0, stride: WIDTH },
      { offset: 35, stride: half },
      { offset: 41, stride: half },
    ];
    await expect(framePixels(frame('I420', new Uint8Array(47), layout), colours)).rejects.toThrow(/too few/);
  });
});
