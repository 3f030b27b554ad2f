import type { StateTensor } from '@saccade/nn';
import { type StructSAOptions, structSA } from '@saccade/structsa';
import { ConfigError, SaccadeError } from '@saccade/tensor-ops';
import { setupBackend } from '@saccade/tensor-ops/node';
import { expectClose } from '@saccade/vitest-preset';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Backbone, createBackbone } from './Backbone.ts';
import { denseConfig } from './dense.ts';
import { Golden } from './testing/golden.ts';
import { noise, stir, take, tinyConfig, tinyStructConfig } from './testing/tiny.ts';
import { uniformerConfig } from './uniformer.ts';
import { type WarmStartOptions, warmStartFromUniFormer } from './warmStart.ts';
import { WarmStartError } from './warmStartError.ts';

beforeAll(async () => {
  await setupBackend('wasm');
});

const FILTERS = ['3.0', '3.1', '4.0'].flatMap((block) =>
  ['conv_k', 'conv_v'].map((conv) => `blocks${block}.attn.${conv}.weight`),
);

/** Of the golden networks: as many detectors as their delta files have, in the image and in the video network. */
const DETECTORS = { 2: 3, 3: 2 } as const;

/** Golden networks were run on PyTorch's CPU in float64: the tolerance of whole networks in float32. */
const NETWORK = { tolerance: 2e-5 };

async function started(
  golden: Golden,
  gridRank: 2 | 3,
  options: WarmStartOptions = {},
  mixer: StructSAOptions = {},
): Promise<{ model: Backbone; start: Awaited<ReturnType<typeof warmStartFromUniFormer>> }> {
  const config = golden.config({ gridRank, mixer: structSA({ detectors: DETECTORS[gridRank], ...mixer }) });
  const model = createBackbone({ ...config, seed: 7 }).eval();
  const start = await warmStartFromUniFormer(golden.state, model, options);
  model.loadStateDict(start.state);
  return { model, start };
}

describe("a StructViT started from UniFormer's public code, without noise", () => {
  it.each([
    ['uniformer_image_tiny', 'delta_image', 2],
    ['uniformer_video_tiny', 'delta_video', 3],
  ] as const)('reproduces the logits of %s', async (file, deltas, gridRank) => {
    const [golden, delta] = [await Golden.open(file), await Golden.open(deltas)];
    const { model, start } = await started(golden, gridRank);
    expect(start).toMatchObject({ exact: true, filters: FILTERS, inflated: [], fresh: [], dropped: [] });
    const logits = await take(tf.tidy(() => model.forward(golden.map('input'))));
    await expectClose(logits, golden.values('output'), NETWORK);
    // The filters are those that were made for PyTorch, all other weights the UniFormer's.
    for (const [name, tensor] of delta.state) {
      expect(FILTERS).toContain(name);
      expect(start.state.get(name)).toMatchObject({ shape: tensor.shape, data: tensor.data });
    }
    for (const [name, tensor] of golden.state) expect(start.state.get(name), name).toEqual(tensor);
    expect(start.state.size).toBe(delta.state.size + golden.state.size);
  });

  it('reproduces the features of its stages, with other kernels and shared filters too', async () => {
    const golden = await Golden.open('uniformer_image_tiny');
    for (const options of [
      { kernelK: 5, kernelV: 1 },
      { detectors: 8, sharedFilters: 'kv' },
    ] as const) {
      const { model } = await started(golden, 2, {}, options);
      const features = tf.tidy(() => model.forwardFeatures(golden.map('input')));
      await expectClose(
        features,
        tf.tidy(() => golden.map('feat.norm')),
        NETWORK,
      );
      model.dispose();
    }
  });

  it('spreads an image network over time for clips', async () => {
    const [image, inflation] = [await Golden.open('uniformer_image_tiny'), await Golden.open('inflation')];
    const { model, start } = await started(image, 3);
    expect(start.exact).toBe(true);
    expect(start.inflated).toContain('patch_embed1.proj.weight');
    expect(start.inflated).toContain('blocks3.1.pos_embed.weight');
    expect(start.inflated).not.toContain('blocks3.1.attn.qkv.weight');
    expect(start.state.get('blocks3.0.attn.conv_k.weight')?.shape.slice(2)).toEqual([3, 3, 3]);
    const logits = await take(tf.tidy(() => model.forward(inflation.map('model.input'))));
    await expectClose(logits, inflation.values('model.output'), NETWORK);
  });

  it('fits backbones with windows, and keeps their LayerNorms', async () => {
    const config = tinyStructConfig(2);
    using uniformer = createBackbone(denseConfig(tinyConfig(2), { window: 3 })).eval();
    stir(uniformer);
    const checkpoint = new Map([...(await uniformer.stateDict())].filter(([name]) => !/^norm\d/.test(name)));
    using model = createBackbone(denseConfig(config, { window: 3 })).eval();
    const start = await warmStartFromUniFormer(checkpoint, model);
    expect(start.fresh).toEqual([1, 2, 3, 4].flatMap((s) => [`norm${s}.weight`, `norm${s}.bias`]));
    expect(start.filters).toEqual(FILTERS);
    model.loadStateDict(start.state);
    const x = noise([1, 128, 64, 3]);
    await expectClose(model.forward(x), uniformer.forward(x));
  });

  it('is not exact with a stride of keys and values, and says so', async () => {
    const golden = await Golden.open('uniformer_image_tiny');
    const { model, start } = await started(golden, 2, {}, { stride: 2 });
    expect(start.exact).toBe(false);
    const logits = await take(tf.tidy(() => model.forward(golden.map('input'))));
    await expect(expectClose(logits, golden.values('output'), { tolerance: 1e-4 })).rejects.toThrow();
  });
});

/** The gradients of all filters by the mean cross-entropy of a small batch, `[...kernel, C, D]` values by name. */
async function filterGradients(model: Backbone): Promise<Map<string, Float32Array>> {
  const parameters = [...model.namedParameters()].filter(([name]) => FILTERS.includes(name));
  const x = noise([2, 64, 64, 3], 9);
  const { grads } = tf.variableGrads(
    () => tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(model.forward(x)), tf.oneHot([1, 4], 10)), -1))) as tf.Scalar,
    parameters.map(([, { variable }]) => variable),
  );
  const found = new Map<string, Float32Array>();
  for (const [name, { variable }] of parameters) found.set(name, await take(grads[variable.name] as tf.Tensor));
  return found;
}

/** Trains the filters alone, by AdamW with lr 1e-2 and decay 0.05, and gives how far each of their values has moved. */
async function train(model: Backbone, steps: number): Promise<Map<string, Float32Array>> {
  const parameters = model.namedParameters();
  const read = async (name: string) => Float32Array.from(await parameters.get(name)!.variable.data());
  const filters = await Promise.all(
    FILTERS.map(async (name) => {
      const before = await read(name);
      return { name, before, m: before.map(() => 0), v: before.map(() => 0) };
    }),
  );
  for (let t = 1; t <= steps; t++) {
    const gradients = await filterGradients(model);
    for (const { name, m, v } of filters) {
      const step = gradients.get(name)!.map((g, i) => {
        m[i] = 0.9 * m[i]! + 0.1 * g;
        v[i] = 0.999 * v[i]! + 0.001 * g * g;
        return (1e-2 * (m[i]! / (1 - 0.9 ** t))) / (Math.sqrt(v[i]! / (1 - 0.999 ** t)) + 1e-8);
      });
      const { variable } = parameters.get(name)!;
      tf.tidy(() => variable.assign(tf.sub(tf.mul(variable, 1 - 1e-2 * 0.05), tf.tensor(step, variable.shape))));
    }
  }
  const moved = new Map<string, Float32Array>();
  for (const { name, before } of filters) {
    moved.set(
      name,
      (await read(name)).map((value, i) => value - before[i]!),
    );
  }
  return moved;
}

/** How far detectors are apart: the largest difference of any value of filter d from that of filter 0, D = 4. */
function spread(values: Float32Array): number {
  return largest(values.map((value, i) => value - values[i - (i % 4)]!));
}

const largest = (values: Float32Array) => Math.max(...values.map(Math.abs));

describe('training from a warm start', () => {
  const start = async (options: WarmStartOptions) => {
    using uniformer = createBackbone(tinyConfig(2));
    stir(uniformer);
    const model = createBackbone(tinyConfig(2, structSA({ detectors: 4 })));
    model.loadStateDict((await warmStartFromUniFormer(await uniformer.stateDict(), model, options)).state);
    return model;
  };

  it('without noise gives all detectors one gradient: they stay alike for ever', async () => {
    for (const [name, gradient] of await filterGradients(await start({}))) {
      expect(largest(gradient), name).toBeGreaterThan(1e-7);
      expect(spread(gradient) / largest(gradient), name).toBeLessThan(1e-5);
    }
    for (const [name, moved] of await train(await start({}), 4)) {
      expect(largest(moved), name).toBeGreaterThan(0.02);
      expect(spread(moved), name).toBeLessThan(1e-6);
    }
  });

  it('with noise gives them gradients of their own: one step takes them apart, more do so further', async () => {
    const options = { noise: 0.01, seed: 5 };
    for (const [name, gradient] of await filterGradients(await start(options))) {
      expect(spread(gradient) / largest(gradient), name).toBeGreaterThan(0.01);
    }
    // The first step of AdamW is hardly more than the sign of the gradient, and that is the same nearly everywhere.
    for (const [name, moved] of await train(await start(options), 1)) expect(spread(moved), name).toBeGreaterThan(1e-5);
    for (const [name, moved] of await train(await start(options), 4)) expect(spread(moved), name).toBeGreaterThan(1e-3);
  });
});

describe('noise', () => {
  it('is normal, of the given size, and drawn from the seed', async () => {
    using model = createBackbone(tinyConfig(2, structSA({ detectors: 8 })));
    using uniformer = createBackbone(tinyConfig(2));
    const checkpoint = await uniformer.stateDict();
    const draw = async (options: WarmStartOptions) => {
      const { state, exact } = await warmStartFromUniFormer(checkpoint, model, options);
      expect(exact).toBe(false);
      return FILTERS.map((name) => state.get(name)?.data as Float32Array);
    };
    const drawn = await draw({ noise: 0.02, seed: 1 });
    expect(await draw({ noise: 0.02, seed: 1 })).toEqual(drawn);
    expect(await draw({ noise: 0.02, seed: 2 })).not.toEqual(drawn);
    expect(drawn[0]).not.toEqual(drawn[1]);
    const errors = drawn.flatMap((values) => [...values].map((value, i) => value - (i % 9 === 4 ? 1 : 0)));
    const mean = errors.reduce((sum, error) => sum + error, 0) / errors.length;
    const deviation = Math.sqrt(errors.reduce((sum, error) => sum + error ** 2, 0) / errors.length);
    // 6 filters of 16 * 8 * 9 values: the standard error is 1 % of 0.02.
    expect(Math.abs(mean)).toBeLessThan(0.001);
    expect(deviation).toBeGreaterThan(0.019);
    expect(deviation).toBeLessThan(0.021);
  });
});

describe('classifiers', () => {
  it('of other classes are left out, and the target keeps its own', async () => {
    using uniformer = createBackbone(tinyConfig(2));
    stir(uniformer);
    const checkpoint = await uniformer.stateDict();
    using model = createBackbone({ ...tinyStructConfig(2), numClasses: 7, seed: 3 }).eval();
    const own = await model.stateDict();
    const { state, fresh, dropped, exact } = await warmStartFromUniFormer(checkpoint, model);
    expect({ fresh, dropped, exact }).toEqual({
      fresh: ['head.weight', 'head.bias'],
      dropped: ['head.weight', 'head.bias'],
      exact: true,
    });
    expect(state.get('head.weight')).toEqual(own.get('head.weight'));
    model.loadStateDict(state);
    const x = noise([1, 32, 32, 3]);
    await expectClose(model.forwardPooled(x), uniformer.eval().forwardPooled(x));
  });

  it('of tokens are ignored unless the target has one', async () => {
    using uniformer = createBackbone({ ...tinyConfig(2), tokenLabelling: true }).eval();
    stir(uniformer);
    const checkpoint = await uniformer.stateDict();
    const aux = ['aux_head.weight', 'aux_head.bias'];
    using without = createBackbone(tinyStructConfig(2));
    const start = await warmStartFromUniFormer(checkpoint, without);
    expect(start).toMatchObject({ fresh: [], dropped: aux });
    expect(start.state.has('aux_head.weight')).toBe(false);
    without.loadStateDict(start.state);

    using labelled = createBackbone({ ...tinyStructConfig(2), tokenLabelling: true }).eval();
    const both = await warmStartFromUniFormer(checkpoint, labelled);
    expect(both).toMatchObject({ fresh: [], dropped: [] });
    labelled.loadStateDict(both.state);
    const x = noise([1, 64, 32, 3]);
    await expectClose(labelled.forward(x), uniformer.forward(x));

    const plain = new Map([...checkpoint].filter(([name]) => !name.startsWith('aux_head')));
    expect(await warmStartFromUniFormer(plain, labelled)).toMatchObject({ fresh: aux, dropped: [] });
    const headless = new Map([...plain].filter(([name]) => !name.startsWith('head.')));
    expect(await warmStartFromUniFormer(headless, without)).toMatchObject({ fresh: ['head.weight', 'head.bias'] });
  });
});

describe('a checkpoint that does not fit', () => {
  const target = () => createBackbone(tinyStructConfig(2));
  const checkpoint = async (change: (state: Map<string, StateTensor>) => void) => {
    using uniformer = createBackbone(tinyConfig(2));
    const state: Map<string, StateTensor> = await uniformer.stateDict();
    change(state);
    return state;
  };
  const rename = (state: Map<string, StateTensor>, from: string, to: string) => {
    state.set(to, state.get(from)!);
    state.delete(from);
  };

  it.each<[string, (state: Map<string, StateTensor>) => void, RegExp[]]>([
    [
      'lacks a weight',
      (state) => state.delete('blocks3.1.attn.qkv.weight'),
      [
        /^checkpoint: it is not that of the UniFormer/,
        /1 missing in the checkpoint:\n {2}blocks3\.1\.attn\.qkv\.weight\n/,
      ],
    ],
    [
      'has a misspelt one',
      (state) => rename(state, 'blocks4.0.mlp.fc1.bias', 'blocks4.0.mlp.fc_1.bias'),
      [
        /blocks4\.0\.mlp\.fc1\.bias \(near: blocks4\.0\.mlp\.fc_1\.bias\)/,
        /1 that a UniFormer of this size does not have:\n {2}blocks4\.0\.mlp\.fc_1\.bias \(near: blocks4\.0\.mlp\.fc1\.bias\)/,
      ],
    ],
    [
      'has a prefix before all names',
      (state) => {
        for (const name of [...state.keys()]) rename(state, name, `module.${name}`);
      },
      [/Its names begin with "module\.": take that off\.$/, /\.\.\. and \d+ more/],
    ],
    [
      'has layer scale',
      (state) => state.set('blocks3.0.gamma_1', { dtype: 'float32', shape: [16], data: new Float32Array(16) }),
      [/It has layer scale: build the model with \{layerScale: 1e-6\}\.$/],
    ],
    [
      'has a weight of another shape',
      (state) =>
        state.set('blocks3.0.pos_embed.weight', {
          dtype: 'float32',
          shape: [16, 1, 5, 5],
          data: new Float32Array(400),
        }),
      [/1 of another shape:\n {2}blocks3\.0\.pos_embed\.weight: expected \[16,1,3,3\], got \[16,1,5,5\]/],
    ],
  ])('is refused: it %s', async (_, change, messages) => {
    using model = target();
    const before = tf.memory().numTensors;
    const call = warmStartFromUniFormer(await checkpoint(change), model);
    await expect(call).rejects.toThrow(WarmStartError);
    await expect(call).rejects.toThrow(SaccadeError);
    for (const message of messages) await expect(call).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('is refused: of another size, without the layer scale of the target, of a small_plus, or of clips', async () => {
    const plain = await checkpoint(() => {});
    const scaled = createBackbone({ ...tinyStructConfig(2), layerScale: 0.1 });
    await expect(warmStartFromUniFormer(plain, scaled)).rejects.toThrow(
      /It has no layer scale: build the model without/,
    );
    const clips = await createBackbone(tinyConfig(3)).stateDict();
    await expect(warmStartFromUniFormer(clips, target())).rejects.toThrow(
      /patch_embed1\.proj\.weight: expected \[8,3,4,4\], got \[8,3,3,4,4\][\s\S]*same size and input \(images or clips\)/,
    );
    const { stages, ...config } = uniformerConfig('s_plus');
    const small = stages.map((stage, s) => ({
      ...stage,
      dim: [8, 8, 16, 16][s]!,
      depth: [1, 1, 2, 1][s]!,
      headDim: 8,
    }));
    const plus = await createBackbone({ ...config, stages: small, numClasses: 10 }).stateDict();
    await expect(warmStartFromUniFormer(plus, target())).rejects.toThrow(/it is a small_plus/);
    const deeper = await createBackbone({
      ...tinyConfig(2),
      stages: tinyConfig(2).stages.map((stage) => ({ ...stage, depth: 2 })),
    }).stateDict();
    const call = warmStartFromUniFormer(deeper, target());
    await expect(call).rejects.toMatchObject({ report: { missing: [], misshapen: [] } });
    await expect(call).rejects.toThrow(/that a UniFormer of this size does not have/);
  });

  it('is refused: a StructViT, or a target without StructSA, or noise that cannot be', async () => {
    const plain = await checkpoint(() => {});
    using model = target();
    const cases: [Promise<unknown>, RegExp][] = [
      [
        warmStartFromUniFormer(await model.stateDict(), model),
        /^checkpoint: .*one with blocks3\.0\.attn\.conv_k\.weight/,
      ],
      [warmStartFromUniFormer(plain, createBackbone(tinyConfig(2))), /^target: expected a backbone with StructSA/],
      [warmStartFromUniFormer(plain, model, { noise: -1 }), /^noise: expected a finite number >= 0, got -1/],
      [warmStartFromUniFormer(plain, model, { noise: Number.NaN }), /^noise: .*got NaN/],
    ];
    for (const [call, message] of cases) {
      await expect(call).rejects.toThrow(ConfigError);
      await expect(call).rejects.toThrow(message);
    }
  });

  it('with 200,000 unknown names is refused at once', async () => {
    const state = await checkpoint(() => {});
    const tensor: StateTensor = { dtype: 'float32', shape: [], data: [0] };
    for (let i = 0; i < 200_000; i++) state.set(`blocks9.${i}.attn.proj.weight`, tensor);
    using model = target();
    const begin = performance.now();
    await expect(warmStartFromUniFormer(state, model)).rejects.toThrow(/200000 that a UniFormer of this size/);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });
});
