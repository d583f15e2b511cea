/**
 * What normal noise of deviation `sigma` (in levels) makes of each level 0..255 on average once it is clipped to 0..255:
 * white comes out greyer and black lighter, the mean of a clipped normal deviate.
 */
export function clippedMeans(sigma: number): Float64Array {
  return Float64Array.from({ length: 256 }, (_, level) => {
    const [low, high] = [-level / sigma, (255 - level) / sigma];
    const inside = cumulative(high) - cumulative(low);
    return level * inside + sigma * (density(low) - density(high)) + 255 * (1 - cumulative(high));
  });
}

function density(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
}

/** The normal distribution, by the approximation 26.2.17 of Abramowitz and Stegun: exact to 8e-8. */
function cumulative(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = density(x) * series;
  return x < 0 ? tail : 1 - tail;
}
