import { expect, it } from 'vitest';
import { stackExamples } from './stack.ts';

const example = (data: Float32Array | Uint8Array, shape = [1, 1, data.length], label = 0) => ({ data, shape, label });

it('stacks images and clips, bytes and floats', () => {
  const images = stackExamples([
    example(Uint8Array.of(1, 2), [2, 1, 1], 3),
    example(Uint8Array.of(4, 5), [2, 1, 1], -1),
  ]);
  expect(images).toEqual({ data: Uint8Array.of(1, 2, 4, 5), shape: [2, 2, 1, 1], labels: Int32Array.of(3, -1) });
  const clip = stackExamples([example(Float32Array.of(0.5, 1), [2, 1, 1, 1])]);
  expect(clip).toMatchObject({ data: Float32Array.of(0.5, 1), shape: [1, 2, 1, 1, 1] });
});

it('makes an array of its own', () => {
  const data = Float32Array.of(1);
  expect(stackExamples([example(data)]).data.buffer).not.toBe(data.buffer);
});

it.each([
  ['another shape', example(Float32Array.of(1, 2), [1, 2, 1])],
  ['another kind', example(Uint8Array.of(1, 2))],
  ['other data than its shape says', example(Float32Array.of(1), [1, 1, 2])],
])('refuses an example of %s', (_, other) => {
  const stack = () => stackExamples([example(Float32Array.of(1, 2)), other]);
  expect(stack).toThrow(
    expect.objectContaining({ name: 'DatasetError', code: 'sample', argument: 'example 1 of a batch' }),
  );
});

it('refuses no examples', () => {
  expect(() => stackExamples([])).toThrow(expect.objectContaining({ code: 'option' }));
});
