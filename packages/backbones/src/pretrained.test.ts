import { describe, expect, it } from 'vitest';
import { listModels, modelInfo, type PretrainedConfig } from './index.ts';

const pretrained = (name: string) => modelInfo(name).pretrained as PretrainedConfig;
const published = listModels().filter((name) => /^(uniformer|structvit)_/.test(name) && !name.includes('pico'));

describe('the pretrained configuration', () => {
  it('exists for every UniFormer and StructViT but our own', () => {
    for (const name of published) {
      const { input, numClasses, paper } = modelInfo(name);
      expect(pretrained(name), name).toMatchObject({ input, numClasses, paper });
    }
    for (const name of listModels('*pico*')) expect(modelInfo(name).pretrained).toBeUndefined();
  });

  it('of images is that of DeiT: short side 256, bicubic, ImageNet mean and deviation', () => {
    expect(pretrained('structvit_b_4_1').transform).toEqual({
      size: 224,
      shortSide: 256,
      filter: 'bicubic',
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    });
    expect(pretrained('structvit_b_4_1').sampling).toBeUndefined();
  });

  it('of clips has one mean and one deviation for all channels', () => {
    const { transform, sampling, input } = pretrained('uniformer_b_video');
    expect(transform).toEqual({
      size: 224,
      shortSide: 224,
      filter: 'bilinear',
      mean: [0.45, 0.45, 0.45],
      std: [0.225, 0.225, 0.225],
    });
    expect(sampling).toEqual({ kind: 'dense', frames: 32, interval: 4, clips: 4, crops: 1 });
    expect(input).toEqual([32, 224, 224]);
    expect(pretrained('structvit_s_4_2_video').sampling).toMatchObject({ frames: 16 });
  });

  it('lists the public files, each at most once, where the model takes them', () => {
    const files = listModels().flatMap((name) =>
      (modelInfo(name).pretrained?.checkpoints ?? []).map((checkpoint) => ({ name, checkpoint })),
    );
    expect(new Set(files.map(({ checkpoint }) => checkpoint.reference)).size).toBe(files.length);
    for (const { name, checkpoint } of files) {
      expect(checkpoint.input.length).toBe(modelInfo(name).input.length);
      expect(modelInfo(name, checkpoint).params, checkpoint.file).toBeGreaterThan(1e6);
    }
    const of = (name: string) => pretrained(name).checkpoints;
    expect(of('uniformer_s')).toEqual([
      {
        name: 'uniformer_s.in1k',
        model: 'uniformer_s',
        file: 'uniformer_small_in1k.pth',
        reference: 'hf:Sense-X/uniformer_image/uniformer_small_in1k.pth',
        layout: 'uniformer',
        container: 'model',
        dataset: 'ImageNet-1K',
        numClasses: 1000,
        input: [224, 224],
        transform: pretrained('uniformer_s').transform,
        licence: 'MIT',
        verified: false,
      },
    ]);
    expect(of('uniformer_s_plus').map(({ file }) => file)).toEqual(['uniformer_small_plus_in1k.pth']);
    // Heads of 64 channels would take the weights of heads of 32 without a word.
    expect(of('uniformer_s_plus_dim64')).toEqual([]);
    expect(of('uniformer_b_video').map(({ file, container, numClasses }) => [file, container, numClasses])).toEqual([
      ['uniformer_base_k400_32x4.pth', 'model_state', 400],
      ['uniformer_base_k600_32x4.pth', 'model_state', 600],
      ['uniformer_base_sthv1_32_prek600.pth', 'model_state', 174],
      ['uniformer_base_sthv2_32_prek600.pth', 'model_state', 174],
    ]);
    expect(of('uniformer_s_video')[2]?.sampling).toEqual({ kind: 'segments', frames: 16, clips: 1, crops: 3 });
    expect(published.filter((name) => name.startsWith('structvit') && of(name).length > 0)).toEqual([]);
  });

  it('says from which UniFormers a StructViT can start', () => {
    expect(pretrained('structvit_s_8_1').warmStart).toEqual(['uniformer_s']);
    expect(pretrained('structvit_b_4_2_video').warmStart).toEqual(['uniformer_b_video', 'uniformer_b']);
    expect(pretrained('uniformer_s').warmStart).toBeUndefined();
    for (const name of published) {
      for (const start of pretrained(name).warmStart ?? []) expect(listModels()).toContain(start);
    }
  });

  it('states licence, repository and what to know', () => {
    expect(pretrained('structvit_l_4_1')).toMatchObject({
      licence: 'MIT',
      repository: 'https://github.com/KimManjin/StructViT',
      notes: [expect.stringContaining('Neither code nor weights are public')],
    });
    expect(pretrained('uniformer_l').licence).toBe('Apache-2.0');
    expect(pretrained('uniformer_s_tl').notes.join(' ')).toContain('timm');
  });

  it('cannot be changed', () => {
    const config = pretrained('uniformer_s') as unknown as { input: number[]; licence: string };
    expect(() => config.input.push(3)).toThrow(TypeError);
    expect(() => {
      config.licence = 'none';
    }).toThrow(TypeError);
    const { checkpoints, transform } = pretrained('uniformer_b_video');
    for (const part of [transform, transform.mean, checkpoints, checkpoints[0], checkpoints[0]?.sampling]) {
      expect(Object.isFrozen(part)).toBe(true);
    }
  });
});
