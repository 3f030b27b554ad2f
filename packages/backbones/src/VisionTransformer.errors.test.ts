import { type MixerSpec, plainAttention, windowed } from '@saccade/nn';
import { structSA } from '@saccade/structsa';
import { ConfigError, SaccadeError, ShapeError } from '@saccade/tensor-ops';
import { describeOnBackends } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { createVisionTransformer, visionTransformerCost } from './index.ts';
import { noise } from './testing/tiny.ts';
import { tinyVit } from './testing/tinyVit.ts';

describeOnBackends(
  'what VisionTransformer refuses, and frees',
  () => {
    it('leaves no tensors after dispose, and cannot be used again', () => {
      const before = tf.memory().numTensors;
      const model = createVisionTransformer(tinyVit(3, plainAttention(), { pooling: 'token', layerScale: 0.1 }));
      const x = noise([2, 4, 12, 16, 3]);
      model.forward(x).dispose();
      model.resetClassifier(4);
      model.dispose();
      expect(() => model.forward(x)).toThrow(SaccadeError);
      expect(() => model.forwardIntermediates(x, [])).toThrow(/used after dispose/);
      x.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    it.each([
      ['channels first', 2, [1, 3, 12, 16], /^x: expected shape \[B,H,W,3\], got \[1,3,12,16\]\. Channels come last/],
      ['a clip for an image model', 2, [1, 4, 12, 16, 3], /^x: expected shape \[B,H,W,3\], got \[1,4,12,16,3\]/],
      ['an image for a clip model', 3, [1, 12, 16, 3], /^x: expected shape \[B,T,H,W,3\], got \[1,12,16,3\]/],
      ['less than a patch', 2, [1, 3, 16, 3], /^x: expected at least one patch of \[4,4\], got \[3,16\]/],
      ['less than a tubelet', 3, [1, 1, 12, 16, 3], /^x: expected at least one patch of \[2,4,4\], got \[1,12,16\]/],
    ] as const)('refuses %s', (_, rank, shape, message) => {
      const model = createVisionTransformer(tinyVit(rank));
      const x = tf.zeros([...shape]);
      const before = tf.memory().numTensors;
      for (const call of ['forward', 'forwardFeatures', 'forwardTokens', 'forwardIntermediates'] as const) {
        expect(() => model[call](x)).toThrow(ShapeError);
        expect(() => model[call](x)).toThrow(message);
      }
      expect(tf.memory().numTensors).toBe(before);
    });

    it('refuses a configuration that cannot be, and leaves nothing behind', () => {
      const broken: MixerSpec = {
        ...plainAttention(),
        create: () => {
          throw new ConfigError('broken', 'a mixer that can be built', 'this one');
        },
      };
      const cases: [change: object, message: RegExp][] = [
        [{ gridRank: 4 }, /^gridRank: expected 2 \(images\) or 3 \(clips\), got 4/],
        [{ inputSize: [4, 12, 16] }, /^inputSize: expected \[H,W\], positive integers, got \[4,12,16\]/],
        [{ inputSize: [12, 0] }, /^inputSize: .*got \[12,0\]/],
        [{ inputSize: [12, 3] }, /^inputSize: expected at least one patch of \[4,4\], got \[12,3\]/],
        [{ patch: { kernel: [4] } }, /^patch\.kernel: expected 2 positive integers, got \[4\]/],
        [{ patch: { kernel: [4, 4], temporalStride: 0 } }, /^patch\.temporalStride: .*got 0/],
        [{ dim: 0 }, /^dim: expected an integer >= 1, got 0/],
        [{ depth: -1 }, /^depth: expected an integer >= 0, got -1/],
        [{ headDim: 5 }, /^headDim: .*divides dim = 16, got 5/],
        [{ mlpRatio: 0.3 }, /^mlpRatio: .*got 0.3/],
        [{ numClasses: 0 }, /^numClasses: expected an integer >= 1, got 0/],
        [{ inChannels: 1.5 }, /^inChannels: .*got 1.5/],
        [{ dropPath: 1 }, /^dropPath: expected a rate in \[0, 1\), got 1/],
        [{ pooling: 'max' }, /^pooling: expected "mean" or "token", got "max"/],
        [{ pooling: 'token', mixer: windowed(plainAttention(), 2) }, /^pooling: expected "mean", since the mixer "attention in 2x2 windows" takes no class token/],
        [{ mixer: [plainAttention()] }, /^mixer: expected one mixer, or one for each of 2 blocks, got "1 mixers"/],
        [{ mixer: [plainAttention(), structSA({ kernelK: 2 })] }, /^kernelK: expected an odd size.*got 2/],
        [{ mixer: [plainAttention(), broken] }, /^broken: /],
      ]; // biome-ignore format: rows
      const before = tf.memory();
      for (const [change, message] of cases) {
        const build = () => createVisionTransformer({ ...tinyVit(2), ...change });
        expect(build).toThrow(message);
        expect(build).toThrow(ConfigError);
      }
      expect(tf.memory()).toMatchObject({ numTensors: before.numTensors, numBytes: before.numBytes });
      expect(() => visionTransformerCost(tinyVit(2), [4, 12, 16])).toThrow(
        /^input: expected \[H,W\], at least one patch/,
      );
      expect(() => visionTransformerCost(tinyVit(2), [2, 16])).toThrow(ConfigError);
    });
  },
  { backends: ['wasm'] },
);
