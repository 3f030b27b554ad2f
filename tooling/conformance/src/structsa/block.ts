import { type Block, ConvBlock, MixerBlock } from '@saccade/backbones';
import { type FeatureMap, plainAttention } from '@saccade/nn';
import { structSA } from '@saccade/structsa';
import { Rng } from '@saccade/tensor-ops';
import type { Checks } from '../Checks.ts';
import { differentiate } from '../differentiate.ts';
import type { Golden } from '../Golden.ts';
import type { Handler } from '../handler.ts';
import { channelsFirst, channelsLast } from '../layout.ts';

/** One block of a backbone, in evaluation mode and, where the file says so, in training mode. */
export const block: Handler = {
  family: 'structsa',
  kind: /^block$/,
  async replay(golden, checks) {
    using evaluated = blockOf(golden);
    evaluated.eval();
    await compare(evaluated, golden, checks, '');
    if (!golden.text('modes').includes('train')) return;

    using trained = blockOf(golden);
    trained.train();
    await compare(trained, golden, checks, 'train.');
    const state = await trained.stateDict();
    for (const name of golden.names('train.state_after.')) {
      const group = name.endsWith('num_batches_tracked') ? 'exact' : 'statistics';
      checks.values(group, `train.state_after.${name}`, state.get(name));
    }
  },
};

async function compare(block: Block, golden: Golden, checks: Checks, prefix: '' | 'train.'): Promise<void> {
  const [input, gradOutput] = ['input', 'grad_output'].map((name) => {
    const torch = golden.tensor(name);
    const map = channelsLast(torch);
    torch.dispose();
    return map;
  }) as [FeatureMap, FeatureMap];
  const { output, gradInput, gradients } = await differentiate(block, input, gradOutput, (x) =>
    block.forward(x as FeatureMap),
  );
  await checks.tensors('forward', { [`${prefix}output`]: channelsFirst(output) });
  await checks.tensors('gradients', { [`${prefix}grad_input`]: channelsFirst(gradInput) });
  checks.under('gradients', `${prefix}grad.`, gradients);
  output.dispose();
  gradInput.dispose();
}

/** No heads: a convolution block. D: a StructSA block. Layer scale, if there are gammas. */
function blockOf(golden: Golden): Block {
  const shape = golden.numbers('shape');
  const dim = shape[1] as number;
  const [hidden] = golden.get('state.mlp.fc1.weight').shape as [number];
  const shared = {
    dim,
    gridRank: (shape.length - 2) as 2 | 3,
    mlpRatio: hidden / dim,
    dropPath: 0,
    heads: golden.states('heads') ? golden.number('heads') : 1,
    rng: new Rng(0),
  };
  const layerScale = golden.has('state.gamma_1') ? { layerScale: 1 } : {};
  const made = golden.states('heads')
    ? new MixerBlock({ ...shared, ...layerScale, mixer: golden.states('D') ? structMixer(golden) : plainAttention() })
    : new ConvBlock(shared);
  made.loadStateDict(golden.state('state.'));
  return made;
}

function structMixer(golden: Golden) {
  return structSA({
    detectors: golden.number('D'),
    kernelK: golden.numbers('kernel'),
    kernelV: golden.numbers('kernel'),
    stride: golden.numbers('stride').at(-1) as number,
  });
}
