// Of Stable Diffusion: the square root of beta rises evenly over the steps of its training.
const steps = 1000;
const [firstBeta, lastBeta] = [0.00085, 0.012];

/** Where a run of one step begins. */
export interface NoiseLevel {
  /** Step of the training, 0..999. */
  timestep: number;
  /** Standard deviation of the noise over that of the picture. */
  sigma: number;
}

/**
 * The noise from which one step leads to a picture: all of it for a strength of 1, the share of the steps that `strength`
 * (above 0, up to 1) is otherwise ("trailing" spacing, Lin et al. 2023, as in the schedules of diffusers).
 */
export function noiseLevel(strength: number): NoiseLevel {
  const timestep = Math.max(1, Math.round(steps * strength)) - 1;
  let kept = 1;
  for (let step = 0; step <= timestep; step++) {
    const share = step / (steps - 1);
    kept *= 1 - (Math.sqrt(firstBeta) * (1 - share) + Math.sqrt(lastBeta) * share) ** 2;
  }
  return { timestep, sigma: Math.sqrt((1 - kept) / kept) };
}

/** Normally distributed numbers, the same for the same seed (Box and Muller 1958). */
export function gaussianNoise(length: number, random: () => number): Float32Array {
  const noise = new Float32Array(length);
  for (let at = 0; at < length; at += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    const angle = 2 * Math.PI * random();
    noise[at] = radius * Math.cos(angle);
    if (at + 1 < length) noise[at + 1] = radius * Math.sin(angle);
  }
  return noise;
}
