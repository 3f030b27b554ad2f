import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DatasetError } from './errors.ts';
import { parseFrameList } from './frameLists.ts';
import { mirroredLabels, mirroredSomethingLabel } from './something/mirror.ts';

describe('parseFrameList', () => {
  it('reads folders, frames and labels, from either kind of line end', () => {
    expect(parseFrameList('some_some_v1/1 32 4\r\nclip_2 2 0\n\n')).toEqual([
      { path: 'some_some_v1/1', frames: 32, label: 4 },
      { path: 'clip_2', frames: 2, label: 0 },
    ]);
  });

  it('leaves out clips that are too short to train on', () => {
    const list = 'a 2 0\nb 3 1\nc 4 2';
    expect(parseFrameList(list, { minFrames: 3 }).map(({ path }) => path)).toEqual(['b', 'c']);
    expect(parseFrameList(list)).toHaveLength(3);
  });

  it.each([
    ['a 1', 'three fields'],
    ['a b 1 2', 'three fields'],
    ['a  1 2', 'three fields'],
    ['a 1.5 2', 'three fields'],
    ['a -1 2', 'three fields'],
    ['a 1 0x1', 'three fields'],
    ['../a 1 2', 'below the root'],
    ['a/../../b 1 2', 'below the root'],
    ['/etc 1 2', 'below the root'],
    ['C:\\a 1 2', 'below the root'],
    ['a 1 10', 'from 0 to 9'],
  ])('refuses %j: it wants %s', (line, expected) => {
    const read = () => parseFrameList(`fine 3 0\n${line}`, { classes: 10 });
    expect(read).toThrow(DatasetError);
    expect(read).toThrow(new RegExp(`line 2: expected .*${expected}`));
  });

  it('gives entries or a typed error for any text', () => {
    const line = fc
      .array(fc.oneof(fc.string(), fc.integer().map(String)), { maxLength: 4 })
      .map((parts) => parts.join(' '));
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        try {
          for (const { path, frames, label } of parseFrameList(lines.join('\n'))) {
            expect(path.startsWith('/')).toBe(false);
            expect(frames >= 0 && label >= 0).toBe(true);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(DatasetError);
        }
      }),
    );
  });
});

describe('mirroredSomethingLabel', () => {
  it('exchanges the three pairs and nothing else', () => {
    const labels = Array.from({ length: 174 }, (_, label) => label);
    const moved = labels.filter((label) => mirroredSomethingLabel(label) !== label);
    expect(moved.map((label) => [label, mirroredSomethingLabel(label)])).toEqual([
      [86, 87],
      [87, 86],
      [93, 94],
      [94, 93],
      [166, 167],
      [167, 166],
    ]);
    for (const label of labels) expect(mirroredSomethingLabel(mirroredSomethingLabel(label))).toBe(label);
  });
});

describe('mirroredLabels', () => {
  it('exchanges sides by name, in any order of the classes', () => {
    const classes = [
      'Turning the camera right while filming something',
      'Pulling something from left to right',
      'Holding something',
      'Turning the camera left while filming something',
      'Pulling something from right to left',
      'Putting something upright on the table',
      'Moving something to the left',
    ];
    expect(mirroredLabels(classes)).toEqual([3, 4, 2, 0, 1, 5, 6]);
  });
});
