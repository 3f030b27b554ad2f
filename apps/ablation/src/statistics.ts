/** The mean of a few values with its confidence interval. */
export interface MeanInterval {
  readonly mean: number;
  /** bounds of the interval; `NaN` for fewer than two values, from which nothing follows about their spread */
  readonly low: number;
  readonly high: number;
}

/**
 * Mean with Student's confidence interval: `mean +- t s / sqrt(n)`, s the sample deviation (n - 1), t the quantile of the
 * t distribution with n - 1 degrees of freedom. It assumes that the values are independent and about normal.
 *
 * @param confidence default 0.95
 */
export function meanInterval(values: readonly number[], confidence = 0.95): MeanInterval {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count < 2) return { mean, low: Number.NaN, high: Number.NaN };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  const reach = tQuantile(confidence, count - 1) * Math.sqrt(variance / count);
  return { mean, low: mean - reach, high: mean + reach };
}

/**
 * The t for which |T| <= t has probability `confidence`, T of Student's t distribution.
 *
 * @param freedom degrees of freedom, an integer >= 1
 */
export function tQuantile(confidence: number, freedom: number): number {
  let [low, high] = [0, 1];
  while (centralProbability(high, freedom) < confidence) high *= 2;
  // 60 halvings leave nothing of float64's digits to find.
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (centralProbability(middle, freedom) < confidence) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/**
 * P(|T| <= t) for whole degrees of freedom n, with theta = atan(t / sqrt(n)):
 *
 * ```
 * n even:  sin theta (1 + 1/2 cos^2 theta + 1*3/(2*4) cos^4 theta + ... up to cos^(n-2))
 * n odd:   2/pi (theta + sin theta (cos theta + 2/3 cos^3 theta + 2*4/(3*5) cos^5 theta + ... up to cos^(n-2)))
 * ```
 *
 * Source: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4.
 */
function centralProbability(t: number, freedom: number): number {
  const theta = Math.atan(t / Math.sqrt(freedom));
  const [sine, cosine] = [Math.sin(theta), Math.cos(theta)];
  const odd = freedom % 2 === 1;
  let [term, sum] = [odd ? cosine : 1, 0];
  for (let power = odd ? 1 : 0; power <= freedom - 2; power += 2) {
    sum += term;
    term *= ((power + 1) / (power + 2)) * cosine ** 2;
  }
  return odd ? (2 / Math.PI) * (theta + sine * sum) : sine * sum;
}
