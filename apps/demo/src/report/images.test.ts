import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import { divergingColour, framePng, mapPng, stripPng } from './images.ts';

const unpack = (uri: string) => {
  const { width, height, channels, data } = decode(Buffer.from(uri.replace('data:image/png;base64,', ''), 'base64'));
  return { width, height, channels, data: [...data] };
};
const clip = { count: 2, height: 2, width: 1, pixels: Uint8Array.of(1, 2, 3, 4) };

describe('pictures', () => {
  it('hold one frame, or all frames from left to right', () => {
    expect(unpack(framePng(clip, 1))).toEqual({ width: 1, height: 2, channels: 1, data: [3, 4] });
    expect(unpack(stripPng(clip))).toEqual({ width: 2, height: 2, channels: 1, data: [1, 3, 2, 4] });
  });

  it('hold one time step of a map in colour', () => {
    const map = {
      title: '',
      grid: { time: 2, rows: 1, columns: 2 },
      query: { time: 0, row: 0, column: 0 },
      weights: Float32Array.of(9, 9, 0, -2),
    };
    const { data, ...size } = unpack(mapPng(map, 1, 2));
    expect(size).toEqual({ width: 2, height: 1, channels: 3 });
    expect(data).toEqual([0, 0, 0, ...divergingColour(-1)]);
  });
});

describe('divergingColour', () => {
  const luminance = (value: number) => {
    const [r, g, b] = divergingColour(value).map((channel) => (channel / 255) ** 2.2) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };

  it('grows lighter with the strength on both sides, so that it can be read without colour', () => {
    for (let step = 0; step < 20; step++) {
      expect(luminance((step + 1) / 20)).toBeGreaterThan(luminance(step / 20));
      expect(luminance(-(step + 1) / 20)).toBeGreaterThan(luminance(-step / 20));
    }
  });

  it('is blue below and orange above, and cut off at the ends', () => {
    const [red, , blue] = divergingColour(-0.6);
    expect(blue).toBeGreaterThan(red + 80);
    const [warm, , cold] = divergingColour(0.6);
    expect(warm).toBeGreaterThan(cold + 80);
    expect(divergingColour(7)).toEqual(divergingColour(1));
  });
});
