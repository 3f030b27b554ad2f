/** Lanes of a vector of float32 where PyTorch was built for AVX2; its loop takes two vectors at a time. */
const LANES = 8;

/**
 * `torch.linspace(start, end, count)` to the bit: float32, from both ends towards the middle.
 *
 * `step = (end - start)/(count - 1)`; values of the first half are `start + i step`, of the second `end - (count - 1 - i)
 * step`, each rounded once. From 16 values on, PyTorch's vectorised loop computes only every eighth value so, and reaches
 * the seven after it by adding `j step`, rounded twice. That moves last bits, and with them indices that are cut to
 * integers: the sixth of 16 positions from 0 to 63 is 21,
 * which would be 20.999998 rounded once.
 * Source: PyTorch 1.13 on x86-64 with AVX2, compared value by value; other processors may have wider vectors.
 */
export function linspace(start: number, end: number, count: number): number[] {
  const [first, last] = [Math.fround(start), Math.fround(end)];
  if (count === 1) return [first];
  const step = Math.fround(Math.fround(last - first) / Math.fround(count - 1));
  const half = Math.floor(count / 2);
  const value = (i: number) => Math.fround(i < half ? first + step * i : last - step * (count - 1 - i));
  const vectorised = count - (count % (2 * LANES));
  return Array.from({ length: count }, (_, i) => {
    const lane = i % LANES;
    return i < vectorised ? Math.fround(value(i - lane) + Math.fround(lane * step)) : value(i);
  });
}
