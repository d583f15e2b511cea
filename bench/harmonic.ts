import type { Pixels } from '#src/engine/media/media.js';

// Over-relaxation near its best for holes of some hundred pixels; so many rounds change nothing beyond a tenth of a level.
const relaxation = 1.9;
const rounds = 600;

/** The harmonic fill: Laplace's equation in the hole, by successive over-relaxation (Young 1954) from the mean of the picture. */
export function harmonic(picture: Pixels, mask: Pixels): Pixels {
  const { width, height } = picture;
  const hole = [...mask.data.keys()].filter((at) => mask.data[at] !== 0);
  const data = Uint8Array.from(picture.data);
  for (let channel = 0; channel < 3; channel += 1) {
    const plane = Float64Array.from(mask.data, (_, at) => picture.data[3 * at + channel] as number);
    start(plane, mask.data);
    for (let round = 0; round < rounds; round += 1) {
      for (const at of hole) {
        const x = at % width;
        const left = plane[x > 0 ? at - 1 : at] as number;
        const right = plane[x < width - 1 ? at + 1 : at] as number;
        const up = plane[at >= width ? at - width : at] as number;
        const down = plane[at < (height - 1) * width ? at + width : at] as number;
        const own = plane[at] as number;
        plane[at] = own + relaxation * ((left + right + up + down) / 4 - own);
      }
    }
    for (const at of hole) data[3 * at + channel] = Math.min(255, Math.max(0, Math.round(plane[at] as number)));
  }
  return { ...picture, data };
}

/** Takes what is under the mask out of the plane. */
function start(plane: Float64Array, marks: Uint8Array): void {
  const known = plane.filter((_, at) => marks[at] === 0);
  const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
  for (let at = 0; at < plane.length; at += 1) if (marks[at] !== 0) plane[at] = mean;
}
