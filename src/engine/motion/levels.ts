import type { Pixels } from '../media/media.js';
import type { Canvas, Channel } from './canvas.js';
import { doubled } from './doubling.js';
import type { Mesh } from './mesh.js';
import { createPlane, type PaddedPlane, type PlaneMaker, repeatBorder } from './plane.js';

/** A picture as its frames are made of it: luma at twice its size, chroma at its own, since frames have half of it. */
export interface Level {
  /** Pixels across the whole picture, before luma was doubled. */
  width: number;
  luma: PaddedPlane;
  cb: PaddedPlane;
  cr: PaddedPlane;
}

/** Room for the neighbours of places at the border. */
const pad = 8;

/** An opaque picture (3 channels) made ready for a canvas. */
export function levelOf(pixels: Pixels, canvas: Canvas): Level {
  const { luma, cb, cr } = toPlanes(pixels);
  for (const plane of [luma, cb, cr]) repeatBorder(plane);
  // Frames have chroma at half their size: what is finer than that would flicker.
  const make: PlaneMaker = (size, room) => canvas.plane(size, room);
  return { width: pixels.width, luma: doubled(luma, make), cb: softened(cb, make), cr: softened(cr, make) };
}

/**
 * Sizes at which a picture is to be decoded for frames that show it between `least` and `most` pixels wide. A level is
 * good from a sixth larger to a sixth smaller than itself; beyond, what is too fine for the frame would flicker.
 */
export function levelWidths(least: number, most: number): number[] {
  const ratio = most / least;
  if (ratio <= 1.35) return [Math.round(Math.sqrt(least * most))];
  const count = Math.ceil(Math.log(ratio) / Math.log(1.5)) + 1;
  return Array.from({ length: count }, (_, index) => Math.round(least * ratio ** (index / (count - 1))));
}

/** Draws what the mesh says into the frame of a canvas, from the two levels that are nearest to `width` pixels across the picture. */
export function drawLevels(
  levels: readonly Level[],
  canvas: Canvas,
  { mesh, width }: { mesh: Mesh; width: number },
): void {
  const finer = levels.findIndex((level) => level.width >= width);
  const upper = levels.at(finer) as Level;
  const lower = levels[Math.max(finer < 0 ? levels.length - 1 : finer - 1, 0)] as Level;
  const share = upper === lower ? 0 : Math.log(width / lower.width) / Math.log(upper.width / lower.width);
  if (share < 0.99) drawLevel(lower, canvas, { mesh });
  if (share > 0.01) drawLevel(upper, canvas, share < 0.99 ? { mesh, share } : { mesh });
}

/** Draws what the mesh says of one level, as it is or as far as `share` (0..1) and the shares of the mesh say. */
export function drawLevel(level: Level, canvas: Canvas, { mesh, share }: { mesh: Mesh; share?: number }): void {
  for (const channel of channels)
    canvas.draw(level[channel], mesh, share === undefined ? { channel } : { channel, share });
}

const channels: readonly Channel[] = ['luma', 'cb', 'cr'];

/** BT.709, limited range, in 65536ths. */
export function toPlanes({ data, width, height, channels }: Pixels): Record<'luma' | 'cb' | 'cr', PaddedPlane> {
  const [luma, cb, cr] = [
    createPlane({ width, height }, pad),
    createPlane({ width, height }, pad),
    createPlane({ width, height }, pad),
  ];
  for (let y = 0, from = 0; y < height; y++) {
    let to = (y + pad) * luma.stride + pad;
    for (let x = 0; x < width; x++, from += channels, to++) {
      const red = data[from] as number;
      const green = data[from + 1] as number;
      const blue = data[from + 2] as number;
      luma.data[to] = (11_966 * red + 40_254 * green + 4_064 * blue + 1_081_344) >> 16;
      cb.data[to] = (-6_596 * red - 22_189 * green + 28_785 * blue + 8_421_376) >> 16;
      cr.data[to] = (28_785 * red - 26_145 * green - 2_640 * blue + 8_421_376) >> 16;
    }
  }
  return { luma, cb, cr };
}

/** A plane each of whose samples is mixed with its neighbours, 1 : 2 : 1 in both directions. */
export function softened(source: PaddedPlane, make: PlaneMaker = createPlane): PaddedPlane {
  const { width, height, stride, data } = source;
  const result = make({ width, height }, source.pad);
  for (let y = 0; y < height; y++) {
    let at = (y + source.pad) * stride + source.pad;
    for (let x = 0; x < width; x++, at++) {
      const [upper, lower] = [at - stride, at + stride];
      const middle = (data[at - 1] as number) + 2 * (data[at] as number) + (data[at + 1] as number);
      const above = (data[upper - 1] as number) + 2 * (data[upper] as number) + (data[upper + 1] as number);
      const below = (data[lower - 1] as number) + 2 * (data[lower] as number) + (data[lower + 1] as number);
      result.data[at] = (above + 2 * middle + below + 8) >> 4;
    }
  }
  repeatBorder(result);
  return result;
}
