import { describeOnBackends, expectClose, expectNoLeak, finiteDifference } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import * as fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { ConfigError, ShapeError } from './errors.ts';
import { setKernelMode } from './kernelMode.ts';
import { temporalShift } from './temporalShift.ts';
import { at, type Dense, fill, sample, tensor } from './testing/reference.ts';

/** The definition, as loops. */
function reference(x: Dense, shiftDiv: number): Dense {
  const [, frames, , , channels] = x.shape as [number, number, number, number, number];
  const fold = Math.floor(channels / shiftDiv);
  return fill(x.shape, (b, t, i, j, c) => {
    const source = (t as number) + ((c as number) < fold ? 1 : (c as number) < 2 * fold ? -1 : 0);
    return source < 0 || source >= frames ? 0 : at(x, b as number, source, i as number, j as number, c as number);
  });
}

afterEach(() => setKernelMode('auto'));

describeOnBackends('temporalShift', (backend) => {
  const runs = { numRuns: backend.name === 'webgpu' ? 10 : 40, seed: 20261 };

  it('takes channels from the next frame, then from the one before', async () => {
    // One pixel, frames 1, 2, 3 in eight channels.
    const x = tf.tensor(
      [1, 2, 3].flatMap((frame) => Array<number>(8).fill(frame)),
      [1, 3, 1, 1, 8],
    ) as tf.Tensor5D;
    await expectClose(temporalShift(x), [
      [2, 0, 1, 1, 1, 1, 1, 1],
      [3, 1, 2, 2, 2, 2, 2, 2],
      [0, 2, 3, 3, 3, 3, 3, 3],
    ].flat()); // biome-ignore format: a row a frame
  });

  it('is its definition, for clips and for their frames as a batch', async () => {
    const size = (max: number) => fc.integer({ min: 1, max });
    const problem = fc.record({
      shape: fc.tuple(size(2), size(4), size(2), size(3), fc.integer({ min: 4, max: 11 })),
      shiftDiv: fc.integer({ min: 2, max: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(problem, async ({ shape, shiftDiv }) => {
        const x = sample(shape, 1);
        const clips = tensor<tf.Tensor5D>(x);
        const [batch, frames, ...map] = shape;
        const images = tf.reshape(clips, [batch * frames, ...map]) as tf.Tensor4D;
        const expected = reference(x, shiftDiv).data;
        const [y, ofImages] = [temporalShift(clips, { shiftDiv }), temporalShift(images, { frames, shiftDiv })];
        setKernelMode('explicit');
        const explicit = temporalShift(clips, { shiftDiv });
        setKernelMode('auto');
        await expectClose(explicit, expected, { tolerance: 0 });
        expect([y.shape, ofImages.shape]).toEqual([shape, images.shape]);
        await expectClose(y, expected, { tolerance: 0 });
        await expectClose(ofImages, expected, { tolerance: 0 });
        tf.dispose([clips, images, y, ofImages, explicit]);
      }),
      runs,
    );
  });

  it.each([
    { shape: [1, 3, 1, 2, 8], shiftDiv: 8 },
    { shape: [2, 2, 2, 1, 5], shiftDiv: 2 },
    { shape: [2, 1, 1, 1, 4], shiftDiv: 3 },
  ])('has a gradient: $shape, one in $shiftDiv', async ({ shape, shiftDiv }) => {
    for (const mode of ['auto', 'explicit'] as const) {
      setKernelMode(mode);
      await finiteDifference((x) => temporalShift(x as tf.Tensor5D, { shiftDiv }), [tensor(sample(shape, 2))]);
    }
  });

  it('leaves nothing behind', async () => {
    const x = tensor<tf.Tensor5D>(sample([1, 3, 2, 2, 8], 3));
    await expectNoLeak(() => temporalShift(x));
    await expectNoLeak(() => tf.grad((x) => temporalShift(x as tf.Tensor5D))(x));
  });
});

describeOnBackends(
  'temporalShift',
  () => {
    it.each([
      [
        'frames that do not divide the batch',
        [7, 2, 2, 8],
        { frames: 4 },
        ShapeError,
        /^x: expected whole clips, .*4 frames divide, got \[7,2,2,8\]/,
      ],
      [
        'clips of another length',
        [2, 6, 1, 1, 8],
        { frames: 8 },
        ShapeError,
        /^x: expected clips of 8 frames, got \[2,6,1,1,8\]/,
      ],
      ['a batch of unknown clips', [8, 2, 2, 8], {}, ConfigError, /^frames: .*got undefined/],
      [
        'fewer channels than the fold',
        [1, 2, 2, 2, 7],
        {},
        ShapeError,
        /^x: expected at least shiftDiv = 8 channels, got \[1,2,2,2,7\]/,
      ],
      ['another rank', [4, 8], {}, ShapeError, /^x: expected \[B,T,H,W,C\] or/],
      [
        'more than all channels',
        [1, 2, 2, 2, 8],
        { shiftDiv: 1 },
        ConfigError,
        /^shiftDiv: expected an integer >= 2, got 1/,
      ],
      ['no frames', [4, 2, 2, 8], { frames: 0 }, ConfigError, /^frames: expected an integer >= 1, got 0/],
    ] as const)('refuses %s', (_, shape, options, type, message) => {
      const x = tf.zeros<tf.Rank>([...shape]) as tf.Tensor5D;
      expect(() => temporalShift(x, options)).toThrow(type);
      expect(() => temporalShift(x, options)).toThrow(message);
    });
  },
  { backends: ['cpu'] },
);
