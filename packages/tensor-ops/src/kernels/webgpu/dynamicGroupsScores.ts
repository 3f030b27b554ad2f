import { each, groupSize } from './depthwiseTokensLayout.ts';
import { type FlatProgram, type Heads, workgroupIndex, workgroups } from './dynamicGroupsRows.ts';

/** Sizes of the product of tokens [B*h, tokens, channels] with centroids [h, groups, channels]. */
export interface ScoreSizes {
  /** heads h of a sample, which have centroids of their own */
  readonly ownHeads: number;
  readonly tokens: number;
  readonly channels: number;
  readonly groups: number;
}

/** Channels and groups in work at a time; one more number a line, so that writing it transposed meets other banks. */
const [channels, groups, line] = [16, 16, groupSize + 1];
const groupQuads = groups / 4;

/** Norms are at least this: what is divided by them stays finite. */
const leastNorm = '1e-12';

/**
 * The group of each query of some heads: q [B*h, N, d], centroids [h, G, d] -> int32 [heads, N], `argmax_j (q_i/|q_i|).e_j`,
 * less `|e_j|^2/2` for euclid; the lowest j of several. A query with a NaN belongs to group 0.
 *
 * For dot, the norm of a query changes nothing, and is not computed.
 */
export function assignmentProgram(sizes: ScoreSizes, part: Heads, euclid: boolean): FlatProgram {
  const score = (k: number) => (euclid ? `${scoreOf(k)} / norm - halfSquares[${k}]` : scoreOf(k));
  return centroidProgram(sizes, part, {
    name: euclid ? 'assignEuclid' : 'assignDot',
    shape: [part.heads, sizes.tokens],
    squares: euclid,
    declarations: euclid ? `var<workgroup> halfSquares : array<f32, ${groups}>;` : '',
    begin: 'var best = 0u; var chosen = 0u;',
    ofGroups: `
    ${euclid ? shareHalfSquares : ''}
    ${each(
      groups,
      (k) => `{
      let score = ordered(${score(k)});
      let better = score > best && firstGroup + ${k}u < uniforms.groups;
      best = select(best, score, better);
      chosen = select(chosen, firstGroup + ${k}u, better);
    }`,
    )}`,
    end: 'if (mine) { result[row * uniforms.tokens + token] = i32(chosen); }',
  });
}

/**
 * What each key of some heads is worth to each group: k [B*h, L, d], centroids [h, G, d] -> [heads, G, L], `e_j . k_l`, or
 * that of k_l/|k_l|; as ordered integers, whose bits are in int32.
 */
export function scoresProgram(sizes: ScoreSizes, part: Heads, normalize: boolean): FlatProgram {
  return centroidProgram(sizes, part, {
    name: normalize ? 'normalizedScores' : 'scores',
    shape: [part.heads, sizes.groups, sizes.tokens],
    squares: normalize,
    declarations: '',
    begin: '',
    ofGroups: each(
      groups,
      (k) => `
    if (mine && firstGroup + ${k}u < uniforms.groups) {
      let key = ordered(${scoreOf(k)}${normalize ? ' / norm' : ''});
      result[(row * uniforms.groups + firstGroup + ${k}u) * uniforms.tokens + token] = bitcast<i32>(key);
    }`,
    ),
    end: '',
  });
}

/**
 * Scores as unsigned integers, of which one is larger exactly where the score is: so nothing depends on what a GPU does with
 * NaN, which is the lowest, 0, and with 0 and -0, which are one.
 */
const ordered = `
fn ordered(score : f32) -> u32 {
  let bits = bitcast<u32>(score);
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return 0u; }
  if (magnitude == 0u) { return 0x80000000u; }
  return select(bits | 0x80000000u, ~bits, bits != magnitude);
}`;

const scoreOf = (k: number) => `score${k >> 2}[${k & 3}]`;

/** Half the squared norms of the groups in work, from those who summed them up to all. */
const shareHalfSquares = `
    if (localIndex < ${groups}u) { halfSquares[localIndex] = 0.5 * squareOfCentroid; }
    workgroupBarrier();`;

/** What is particular to one of the programs: code before, for every 16 groups (with `score0` to `score3`), after. */
interface Particular {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether `norm` of the token is wanted, and `squareOfCentroid`. */
  readonly squares: boolean;
  readonly declarations: string;
  readonly begin: string;
  readonly ofGroups: string;
  readonly end: string;
}

/**
 * Products of tokens with the centroids of their head: an invocation is for one token, and walks over the groups, 16 at a
 * time; what is read goes through workgroup memory, channels of 64 tokens and of these groups.
 */
function centroidProgram(sizes: ScoreSizes, part: Heads, particular: Particular): FlatProgram {
  const { name, shape, squares, declarations, begin, ofGroups, end } = particular;
  const centroidAt = (i: number) =>
    `centroids[(firstOfHead + min(group + ${i}u, uniforms.groups - 1u)) * uniforms.channels + channel]`;
  return {
    name,
    inputs: ['x', 'centroids'],
    result: { shape, dtype: 'int32' },
    numbers: { ...sizes, ...part },
    workgroupSize: [groupSize, 1, 1],
    dispatch: workgroups(part.heads * Math.ceil(sizes.tokens / groupSize)),
    declarations: `
var<workgroup> staged : array<f32, ${channels * line}>;
var<workgroup> centres : array<vec4<f32>, ${channels * groupQuads}>;
${ordered}
${declarations}`,
    body: `
  let tiles = (uniforms.tokens + ${groupSize - 1}u) / ${groupSize}u;
  let firstToken = ${workgroupIndex} % tiles * ${groupSize}u;
  let token = firstToken + localIndex;
  let row = min(${workgroupIndex} / tiles, uniforms.heads - 1u);
  // None may leave before a barrier: who has no token computes along.
  let mine = ${workgroupIndex} < uniforms.heads * tiles && token < uniforms.tokens;
  let head = uniforms.first + row;
  let firstOfHead = head % uniforms.ownHeads * uniforms.groups;
  ${begin}
  for (var firstGroup = 0u; firstGroup < uniforms.groups; firstGroup += ${groups}u) {
    ${each(groupQuads, (k) => `var score${k} = vec4<f32>();`)}
    ${squares ? 'var square = 0.0; var squareOfCentroid = 0.0;' : ''}
    for (var firstChannel = 0u; firstChannel < uniforms.channels; firstChannel += ${channels}u) {
      for (var i = localIndex; i < ${channels * groupSize}u; i += ${groupSize}u) {
        let source = head * uniforms.tokens + min(firstToken + i / ${channels}u, uniforms.tokens - 1u);
        let channel = min(firstChannel + i % ${channels}u, uniforms.channels - 1u);
        staged[i % ${channels}u * ${line}u + i / ${channels}u] = x[source * uniforms.channels + channel];
      }
      let channel = min(firstChannel + localIndex / ${groupQuads}u, uniforms.channels - 1u);
      let group = firstGroup + 4u * (localIndex % ${groupQuads}u);
      centres[localIndex] = vec4<f32>(${[0, 1, 2, 3].map(centroidAt).join(', ')});
      workgroupBarrier();
      let count = min(${channels}u, uniforms.channels - firstChannel);
      for (var c = 0u; c < count; c++) {
        let value = staged[c * ${line}u + localIndex];
        ${each(groupQuads, (k) => `score${k} += value * centres[c * ${groupQuads}u + ${k}u];`)}
        ${squares ? squaresOf : ''}
      }
      workgroupBarrier();
    }
    ${squares ? `let norm = max(sqrt(square), ${leastNorm});` : ''}
    ${ofGroups}
  }
  ${end}`,
  };
}

/** Every invocation sums the squares of its token, and one group's, of which there are fewer: the others go to waste. */
const squaresOf = `
        square += value * value;
        let ofCentroid = centres[c * ${groupQuads}u + localIndex / 4u % ${groupQuads}u][localIndex % 4u];
        squareOfCentroid += ofCentroid * ofCentroid;`;
