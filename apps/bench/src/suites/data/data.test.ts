import { describe, expect, it } from 'vitest';
import { findPython } from '../../external/python.node.ts';
import { measured, withBench } from '../../external/testing/measured.ts';
import { augmentComparison } from './augment.node.ts';
import { findFfmpeg } from './ffmpeg.node.ts';
import { imageComparison } from './images.node.ts';
import { dataSuite } from './index.ts';
import { loadingComparison, WAYS } from './loading.node.ts';
import { sameFrames, type VideoTask, videoComparison } from './video.node.ts';

const SMALL = { width: 300, height: 260 };
const NO_PYTHON = ['/no/such/python'];
const CLIP: VideoTask = { name: 'small', width: 64, height: 48, frames: 12, keyFrames: 6, wanted: 4 };

const bench = withBench();
const { ffmpeg } = await findFfmpeg();
const pillow = await findPython(['Pillow', 'numpy']);

it('lists comparisons of unique names for both scales', () => {
  for (const scale of ['quick', 'full'] as const) {
    const ids = dataSuite.comparisons({ home: 'node', backend: 'wasm', softwareGpu: false, scale }).map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  }
});

describe('videos', () => {
  it.skipIf(ffmpeg === undefined)('gives the frames that ffmpeg gives', async () => {
    const rows = await measured(videoComparison(CLIP), bench());
    expect(rows.get('openVideo')).toMatchObject({ status: 'measured', baseline: 'ffmpeg' });
    expect(rows.get('ffmpeg')).toMatchObject({ status: 'measured', role: 'peer', engine: ffmpeg?.engine });
    // Processor time of this process would not be ffmpeg's.
    expect(rows.get('ffmpeg')).not.toHaveProperty('cpuMs');
  });

  it('says what is missing where there is no ffmpeg', async () => {
    const rows = await measured(videoComparison(CLIP, '/no/such/ffmpeg'), bench());
    expect([...rows.values()]).toMatchObject([
      { contender: 'ffmpeg', status: 'absent', reason: expect.stringContaining('apt install ffmpeg') },
    ]);
  });

  it('tells frames apart that are not the same', () => {
    const frame = Uint8Array.of(10, 20, 30);
    const passes = (other: Uint8Array) => {
      const { error, tolerance } = sameFrames('others', other, frame);
      return error <= tolerance;
    };
    expect(passes(Uint8Array.of(13, 17, 30))).toBe(true);
    expect(passes(Uint8Array.of(14, 20, 30))).toBe(false);
    expect(passes(Uint8Array.of(10, 20))).toBe(false);
  });
});

describe('images', () => {
  it.each(['jpeg', 'png'] as const)('transforms %s as sharp does, nearly', async (format) => {
    const rows = await measured(imageComparison(format, SMALL, NO_PYTHON), bench());
    expect(rows.get('Saccade')).toMatchObject({ status: 'measured', check: { against: 'sharp' }, baseline: 'sharp' });
    expect(rows.get('sharp')).toMatchObject({ status: 'measured' });
    expect(rows.get('Pillow')).toMatchObject({ status: 'absent', reason: expect.stringContaining('SACCADE_PYTHON') });
  });

  it.skipIf(pillow === undefined)('transforms as Pillow does, exactly', async () => {
    const rows = await measured(imageComparison('jpeg', SMALL), bench());
    expect(rows.get('Saccade')).toMatchObject({ status: 'measured', check: { against: 'Pillow', tolerance: 1e-6 } });
    expect(rows.get('Pillow')).toMatchObject({ status: 'measured', check: { against: 'Saccade' } });
  });

  it('counts augmented images', async () => {
    const rows = await measured(augmentComparison(2, SMALL), bench());
    const perSecond = (name: string) => rows.get(name)?.quantities?.imagesPerSecond ?? Number.NaN;
    expect(perSecond('decode')).toBeGreaterThan(perSecond('decode and trainTransform'));
    expect(rows.get('decode and trainTransform')).toMatchObject({ status: 'measured', baseline: 'decode' });
  });
});

describe('loading', () => {
  it('waits for batches where nothing is read ahead, and gives the same in every way', async () => {
    const ways = [WAYS.nothingAhead, WAYS.oneWorker];
    const rows = await measured(loadingComparison({ ways, clips: 8, batch: 2, steps: 1 }), bench());
    for (const { name } of ways) {
      const row = rows.get(name);
      expect(row).toMatchObject({ status: 'measured', check: { error: 0 }, baseline: WAYS.nothingAhead.name });
      const { waitMs = Number.NaN, waitShare = Number.NaN } = row?.quantities ?? {};
      expect(waitMs).toBeGreaterThanOrEqual(0);
      expect(waitShare).toBeLessThan(1);
    }
    expect(rows.get(WAYS.nothingAhead.name)?.quantities?.waitMs).toBeGreaterThan(0);
  });
});
