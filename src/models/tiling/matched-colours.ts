import type { Pixels } from '../../engine/media/media.js';
import { mix, position } from '../pixels/bilinear.js';
import type { UpscaleModel } from '../model.js';

/** Half the side of the window, in pixels of the input, over which colours are compared. */
export const matchReach = 8;

/**
 * The model with the colours of its input: where the result, made small again and blurred, differs from the blurred input,
 * the difference is taken out. Nets that were trained against a critic drift in tone and hue; detail finer than the window
 * is left alone. The overlap grows by the window, so that tiles still agree.
 */
export function matchColours(model: UpscaleModel): UpscaleModel {
  return {
    ...model,
    overlap: model.overlap + matchReach,
    async upscale(tile) {
      const large = await model.upscale(tile);
      const drift = blur(difference(tile, shrink(large, model.scale)), tile);
      addDrift(large, drift, tile);
      return large;
    },
  };
}

type Extent = Pick<Pixels, 'width' | 'height'>;

/** The mean of every block of `scale` × `scale` pixels. */
function shrink({ data, width, height }: Pixels, scale: number): Float32Array {
  const small = Math.floor(width / scale);
  const result = new Float32Array(small * Math.floor(height / scale) * 3);
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / scale) * small;
    for (let x = 0; x < width; x++) {
      const to = 3 * (row + Math.floor(x / scale));
      const from = 3 * (y * width + x);
      for (let channel = 0; channel < 3; channel++) {
        result[to + channel] = (result[to + channel] as number) + (data[from + channel] as number);
      }
    }
  }
  return result.map((sum) => sum / scale ** 2);
}

function difference({ data }: Pixels, found: Float32Array): Float32Array {
  return found.map((value, at) => (data[at] as number) - value);
}

/** A box of 2 × `matchReach` + 1 pixels, smaller at the borders, along both axes. */
function blur(plane: Float32Array, { width, height }: Extent): Float32Array {
  const across = new Float32Array(plane.length);
  for (let y = 0; y < height; y++) boxLine(plane, across, { start: 3 * y * width, step: 3, count: width });
  const result = new Float32Array(plane.length);
  for (let x = 0; x < width; x++) boxLine(across, result, { start: 3 * x, step: 3 * width, count: height });
  return result;
}

function boxLine(from: Float32Array, to: Float32Array, line: { start: number; step: number; count: number }): void {
  const { start, step, count } = line;
  for (let channel = 0; channel < 3; channel++) {
    const at = (index: number) => start + channel + index * step;
    let [sum, size] = [0, 0];
    for (let index = 0; index < Math.min(matchReach, count); index++) {
      sum += from[at(index)] as number;
      size += 1;
    }
    for (let index = 0; index < count; index++) {
      if (index + matchReach < count) {
        sum += from[at(index + matchReach)] as number;
        size += 1;
      }
      if (index - matchReach - 1 >= 0) {
        sum -= from[at(index - matchReach - 1)] as number;
        size -= 1;
      }
      to[at(index)] = sum / size;
    }
  }
}

/** Adds the difference, stretched to the size of the result. */
function addDrift(large: Pixels, drift: Float32Array, { width, height }: Extent): void {
  const columns = Array.from({ length: large.width }, (_, x) => position(x, large.width, width));
  for (let y = 0; y < large.height; y++) {
    const down = position(y, large.height, height);
    for (const [x, across] of columns.entries()) {
      for (let channel = 0; channel < 3; channel++) {
        const at = (row: number, column: number) => drift[3 * (row * width + column) + channel] as number;
        const top = mix(at(down.before, across.before), at(down.before, across.after), across.share);
        const bottom = mix(at(down.after, across.before), at(down.after, across.after), across.share);
        const to = 3 * (y * large.width + x) + channel;
        const value = (large.data[to] as number) + mix(top, bottom, down.share);
        large.data[to] = Math.min(255, Math.max(0, Math.round(value)));
      }
    }
  }
}
