import { aia } from '@saccade/aia';
import {
  backboneCost,
  createBackbone,
  createDgt,
  createResNetVideo,
  dgtConfig,
  dgtCost,
  lisaConfig,
  picoTsmConfig,
  type ResNetVideoConfig,
  resnetVideoCost,
  tsmConfig,
  tsnConfig,
} from '@saccade/backbones';
import { type Grid, plainAttention } from '@saccade/nn';
import type { Family } from './familyComparison.ts';
import { catalogued, type Network } from './network.ts';

/** Half of the frames that UniFormer reads, as many as TSM does. */
const CLIP = [8, 224, 224] as const;
/** Clips of a quarter of the pixels: what a processor does in a second. */
const SMALL_CLIP = [8, 112, 112] as const;
/** Something-Something, for which AIA's figures are. */
const GATED_CLASSES = 174;

/** Networks for images of 224 x 224. */
export function imageFamilies(): Family[] {
  const direction = 'forward';
  return [
    // DeiT is the plain twin of LiSA-ViT, which differs in the attention and in having no class token.
    { id: 'images/deit', direction, networks: networks('deit_s', 'deit_ti', 'deit_b', 'lisa_vit_s') },
    // UniFormer is that of StructViT and of LiSA's plan of four stages: only the attention differs.
    { id: 'images/uniformer-s', direction, networks: networks('uniformer_s', 'structvit_s_4_1', 'lisa_s') },
    { id: 'images/uniformer-b', direction, networks: networks('uniformer_b', 'structvit_b_4_1') },
    // That of DGT is DGT with attention between all positions in every stage, which is what its groups avoid.
    { id: 'images/dgt-attention', direction, networks: [plainDgt(), catalogued('dgt_t')] },
    { id: 'images/dgt-sizes', direction, networks: networks('dgt_t', 'dgt_s', 'dgt_b') },
    { id: 'images/resnet', direction, networks: networks('resnet50', 'resnet101') },
  ];
}

/** Networks for clips of 8 x 224 x 224. */
export function clipFamilies(): Family[] {
  const direction = 'forward';
  const clip = (model: string) => catalogued(model, { input: CLIP });
  return [
    {
      id: 'clips/uniformer-s',
      direction,
      networks: [
        clip('uniformer_s_video'),
        clip('structvit_s_4_2_video'),
        clip('structvit_s_4_1_video'),
        lisaOnClips('s'),
      ],
    },
    { id: 'clips/uniformer-b', direction, networks: [clip('uniformer_b_video'), clip('structvit_b_4_2_video')] },
    gateFamily('clips/tsm-resnet50-aia', CLIP),
    { id: 'clips/tsn-resnet50-aia', direction, networks: [gated('tsn', 'none', CLIP), gated('tsn', 'CinST', CLIP)] },
  ];
}

/** The same on smaller clips. */
export function smallClipFamilies(): Family[] {
  return [gateFamily('clips/tsm-resnet50-aia-112', SMALL_CLIP)];
}

/** Training steps of small networks. */
export function stepFamilies(): Family[] {
  const direction = 'step';
  return [
    { id: 'images/deit-ti', direction, networks: networks('deit_ti', 'lisa_vit_ti') },
    { id: 'images/uniformer-s', direction, networks: networks('uniformer_s', 'structvit_s_4_1') },
  ];
}

/** Clips of 8 frames of 32 x 32 gray pixels, the smallest networks that there are. */
export function picoFamilies(): Family[] {
  const pico = (model: string) => catalogued(model, { channels: 1 });
  const plain = pico('uniformer_pico_video');
  const structured = pico('structvit_pico_video');
  return [
    { id: 'clips/pico', direction: 'forward', networks: [plain, structured] },
    { id: 'clips/pico', direction: 'step', networks: [plain, structured] },
    {
      id: 'clips/tsm-pico-aia',
      direction: 'forward',
      networks: [picoGated('none'), picoGated('CinST'), picoGated('STinC')],
    },
  ];
}

function networks(first: string, ...others: string[]): Family['networks'] {
  return [catalogued(first), ...others.map((model) => catalogued(model))];
}

/** DGT-T with plain attention in the place of DG-Attention. */
function plainDgt(): Network {
  const config = dgtConfig('t', { mixer: plainAttention() });
  const input = [224, 224] as const;
  return {
    name: 'dgt_t, plain attention',
    input,
    cost: dgtCost(config, input),
    classes: 1000,
    build: () => createDgt(config),
  };
}

/** LiSA's tables are for a grid: those of the catalogue are for 16 frames. */
function lisaOnClips(size: 's' | 'b'): Network {
  const config = { ...lisaConfig(size, { gridRank: 3, inputSize: CLIP }), numClasses: 400 };
  return {
    name: `lisa_${size}_video`,
    input: CLIP,
    cost: backboneCost(config, CLIP),
    classes: 400,
    build: () => createBackbone(config),
  };
}

type Gate = 'none' | 'CinST' | 'STinC';

/** TSM without and with Attention in Attention in its bottlenecks, and without its shift (TSN). */
function gateFamily(id: string, input: Grid): Family {
  const tsm = (['none', 'CinST', 'STinC'] as const).map((gate) => gated('tsm', gate, input)) as [Network, ...Network[]];
  return { id, direction: 'forward', networks: tsm };
}

function gated(kind: 'tsm' | 'tsn', gate: Gate, input: Grid): Network {
  const config = { ...(kind === 'tsm' ? tsmConfig : tsnConfig)(50, gateOf(gate)), numClasses: GATED_CLASSES };
  return gatedNetwork(`${kind}_resnet50, gate ${gate}`, config, input);
}

function picoGated(gate: Gate): Network {
  return gatedNetwork(`tsm_resnet_pico, gate ${gate}`, picoTsmConfig(gateOf(gate)), [8, 32, 32]);
}

function gatedNetwork(name: string, config: ResNetVideoConfig, input: Grid): Network {
  return {
    name,
    input,
    channels: config.inChannels ?? 3,
    cost: resnetVideoCost(config, input),
    classes: config.numClasses as number,
    build: () => createResNetVideo(config),
  };
}

function gateOf(gate: Gate) {
  return gate === 'none' ? {} : { gate: aia({ variant: gate }) };
}
