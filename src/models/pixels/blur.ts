import type { Plane } from '../../engine/media/media.js';

/** Standard deviations of a blur, in pixels. */
export interface Spread {
  across: number;
  down: number;
}

/**
 * A plane blurred almost as by a Gaussian, by three running means each way (Kutskir after Wells, "Efficient synthesis of
 * Gaussian filters by cascaded uniform filters", PAMI 1986); beyond its borders it is 0. The cost does not depend on the spread.
 */
export function blurPlane({ data, width, height }: Plane, { across, down }: Spread): Plane {
  let values = data;
  for (const radius of radii(across))
    values = meansAlong(values, { lines: height, length: width, step: 1, stride: width, radius });
  for (const radius of radii(down))
    values = meansAlong(values, { lines: width, length: height, step: width, stride: 1, radius });
  return { data: values, width, height };
}

/** Half the sides of three windows whose variances add up to that of the Gaussian. */
function radii(deviation: number): number[] {
  const ideal = Math.sqrt((12 * deviation ** 2) / 3 + 1);
  const smaller = Math.max(0, Math.floor((ideal - 1) / 2));
  const side = 2 * smaller + 1;
  const smallOnes = Math.round((12 * deviation ** 2 - 3 * side ** 2 - 12 * side - 9) / (-4 * side - 4));
  return [0, 1, 2].map((pass) => (pass < smallOnes ? smaller : smaller + 1));
}

interface Lines {
  lines: number;
  length: number;
  /** Between two values of a line, and between two lines. */
  step: number;
  stride: number;
  radius: number;
}

function meansAlong(from: Float32Array, { lines, length, step, stride, radius }: Lines): Float32Array {
  if (radius === 0) return from;
  const to = new Float32Array(from.length);
  const share = 1 / (2 * radius + 1);
  for (let line = 0; line < lines; line++) {
    const start = line * stride;
    let sum = 0;
    for (let at = 0; at < Math.min(radius, length); at++) sum += from[start + at * step] as number;
    for (let at = 0; at < length; at++) {
      if (at + radius < length) sum += from[start + (at + radius) * step] as number;
      if (at - radius > 0) sum -= from[start + (at - radius - 1) * step] as number;
      to[start + at * step] = sum * share;
    }
  }
  return to;
}
