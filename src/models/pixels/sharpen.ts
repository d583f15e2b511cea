import type { Pixels } from '../../engine/media/media.js';
import type { UpscaleModel } from '../model.js';

/** Half the side of the window that is looked at. */
const reach = 2;

/** Differences below this are noise and are left alone. */
const threshold = 1.5;

/**
 * Unsharp masking as a "model" of scale 1, so that tiles, seams and transparency are those of all models: what differs
 * from a binomial blur over 5 × 5 pixels is added again by `amount`, kept within what is around it, so that no halo forms.
 */
export function sharpening(amount: number): UpscaleModel {
  return { id: 'sharpen', scale: 1, overlap: reach, upscale: async (tile) => sharpen(tile, amount) };
}

const taps = [1, 4, 6, 4, 1].map((tap) => tap / 16);

function sharpen({ data, width, height }: Pixels, amount: number): Pixels {
  const across = blurAlong(Float32Array.from(data), { width, height }, 3);
  const soft = blurAlong(across, { width, height }, 3 * width);
  const result = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at++) {
    const value = data[at] as number;
    const detail = value - (soft[at] as number);
    if (Math.abs(detail) < threshold) {
      result[at] = value;
      continue;
    }
    const [least, most] = rangeAround(data, at, { width, height });
    result[at] = Math.round(Math.min(most, Math.max(least, value + amount * detail)));
  }
  return { data: result, width, height, channels: 3 };
}

function blurAlong(
  samples: Float32Array,
  { width, height }: Pick<Pixels, 'width' | 'height'>,
  step: number,
): Float32Array {
  const isRow = step === 3;
  const length = isRow ? width : height;
  return samples.map((_, at) => {
    const pixel = Math.floor(at / 3);
    const place = isRow ? pixel % width : Math.floor(pixel / width);
    let sum = 0;
    for (let tap = -reach; tap <= reach; tap++) {
      const near = Math.min(length - 1, Math.max(0, place + tap));
      sum += (taps[tap + reach] as number) * (samples[at + (near - place) * step] as number);
    }
    return sum;
  });
}

/** The least and the most of the pixels of the window, with a twentieth of their range to spare. */
function rangeAround(
  data: Uint8Array,
  at: number,
  { width, height }: Pick<Pixels, 'width' | 'height'>,
): [number, number] {
  const [x, y] = [Math.floor(at / 3) % width, Math.floor(at / 3 / width)];
  let [least, most] = [255, 0];
  for (let down = Math.max(0, y - reach); down <= Math.min(height - 1, y + reach); down++) {
    for (let across = Math.max(0, x - reach); across <= Math.min(width - 1, x + reach); across++) {
      const value = data[3 * (down * width + across) + (at % 3)] as number;
      least = Math.min(least, value);
      most = Math.max(most, value);
    }
  }
  const spare = (most - least) / 20;
  return [Math.max(0, least - spare), Math.min(255, most + spare)];
}
