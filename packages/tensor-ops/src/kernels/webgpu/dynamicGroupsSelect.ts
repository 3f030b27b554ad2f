import { type FlatProgram, rowFunctions, rowInvocations, workgroupIndex, workgroups } from './dynamicGroupsRows.ts';

/** Bits of a digit, and how many values it has: one for each invocation. */
const digitBits = 8;
const highest = rowInvocations - 1;

/**
 * The places of the `count` largest of each row: scores [rows, length], unsigned integers in int32 -> int32 [rows, count],
 * in ascending order; of equal scores those at the lowest places. `count` is at most `length`.
 *
 * A radix selection: digit by digit, from the highest, it counts how many of the scores that begin like the one sought
 * have which digit, and so finds the smallest score that still belongs to the result, and how many that equal it do. A row
 * is read six times, whatever is in it and however long it is. All places come from counting places of the row, so they
 * lie in it, whatever the scores are.
 */
export function selectProgram(rows: number, length: number, count: number): FlatProgram {
  return {
    name: 'selectLargest',
    inputs: ['scores'],
    result: { shape: [rows, count], dtype: 'int32' },
    numbers: { rows, length, count },
    workgroupSize: [rowInvocations, 1, 1],
    dispatch: workgroups(rows),
    declarations: `
${rowFunctions}
var<workgroup> histogram : array<atomic<u32>, ${rowInvocations}>;
var<workgroup> found : vec2<u32>;`,
    body: `
  let row = min(${workgroupIndex}, uniforms.rows - 1u);
  let start = row * uniforms.length;
  // The digits found so far of the smallest score that belongs to the result, and how many belong to it of those scores
  // that begin with them.
  var smallest = 0u;
  var wanted = uniforms.count;
  for (var shift = ${32 - digitBits}i; shift >= 0; shift -= ${digitBits}) {
    atomicStore(&histogram[localIndex], 0u);
    workgroupBarrier();
    for (var i = localIndex; i < uniforms.length; i += ${rowInvocations}u) {
      let begun = bitcast<u32>(scores[start + i]) >> u32(shift);
      if ((begun >> ${digitBits}u) == smallest) { atomicAdd(&histogram[begun % ${rowInvocations}u], 1u); }
    }
    workgroupBarrier();
    // The first invocation has the highest digit.
    let digit = ${highest}u - localIndex;
    let those = atomicLoad(&histogram[digit]);
    let larger = sumsBefore(vec2<u32>(those, 0u)).x;
    if (larger < wanted && wanted <= larger + those) { found = vec2<u32>(digit, larger); }
    workgroupBarrier();
    smallest = (smallest << ${digitBits}u) | found.x;
    wanted -= found.y;
  }

  let part = partOf(uniforms.length);
  var counts = vec2<u32>(); // of larger scores, and of equal ones
  for (var i = part.x; i < part.y; i++) {
    let score = bitcast<u32>(scores[start + i]);
    counts += vec2<u32>(u32(score > smallest), u32(score == smallest));
  }
  var before = sumsBefore(counts);
  if (${workgroupIndex} >= uniforms.rows) { return; }
  for (var i = part.x; i < part.y; i++) {
    let score = bitcast<u32>(scores[start + i]);
    let equal = score == smallest;
    if (score > smallest || (equal && before.y < wanted)) {
      result[row * uniforms.count + before.x + min(before.y, wanted)] = i32(i);
    }
    before += vec2<u32>(u32(score > smallest), u32(equal));
  }`,
  };
}
