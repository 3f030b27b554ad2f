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
    { id: 'images/dgt', direction, networks: [plainDgt(), ...networks('dgt_t', 'dgt_s', 'dgt_b')] },
    { id: 'images/resnet', direction, networks: networks('resnet50', 'resnet101') },
  ];
}

/** Networks for clips of 8 x 224 x 224; on a processor, which takes seconds for each, only those that an issue asks for. */
export function clipFamilies(onProcessor: boolean): Family[] {
  const direction = 'forward';
  const clip = (model: string) => catalogued(model, { input: CLIP });
  const uniformers = [clip('uniformer_s_video'), clip('structvit_s_4_2_video')] as const;
  const gates = [gated('tsm', 'none'), gated('tsm', 'CinST')] as const;
  if (onProcessor) {
    return [
      { id: 'clips/uniformer-s', direction, networks: uniformers },
      { id: 'clips/tsm-resnet50-aia', direction, networks: gates },
    ];
  }
  const large = [clip('uniformer_b_video'), clip('structvit_b_4_2_video')] as const;
  const others = [clip('structvit_s_4_1_video'), lisaOnClips()];
  return [
    { id: 'clips/uniformer-s', direction, networks: [...uniformers, ...others] },
    { id: 'clips/uniformer-b', direction, networks: large },
    { id: 'clips/tsm-resnet50-aia', direction, networks: [...gates, gated('tsm', 'STinC')] },
    { id: 'clips/tsn-resnet50-aia', direction, networks: [gated('tsn', 'none'), gated('tsn', 'CinST')] },
  ];
}

/** Training steps of small networks. */
export function stepFamilies(onProcessor: boolean): Family[] {
  const direction = 'step';
  const smallest: Family = { id: 'images/deit-ti', direction, networks: networks('deit_ti', 'lisa_vit_ti') };
  const small: Family = { id: 'images/uniformer-s', direction, networks: networks('uniformer_s', 'structvit_s_4_1') };
  return onProcessor ? [smallest] : [smallest, small];
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
function lisaOnClips(): Network {
  const config = { ...lisaConfig('s', { gridRank: 3, inputSize: CLIP }), numClasses: 400 };
  return {
    name: 'lisa_s_video',
    input: CLIP,
    cost: backboneCost(config, CLIP),
    classes: 400,
    build: () => createBackbone(config),
  };
}

type Gate = 'none' | 'CinST' | 'STinC';

/** TSM, or TSN, without or with Attention in Attention in its bottlenecks. */
function gated(kind: 'tsm' | 'tsn', gate: Gate): Network {
  const config = { ...(kind === 'tsm' ? tsmConfig : tsnConfig)(50, gateOf(gate)), numClasses: GATED_CLASSES };
  return gatedNetwork(`${kind}_resnet50, gate ${gate}`, config, CLIP);
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
