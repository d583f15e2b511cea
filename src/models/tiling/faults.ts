import { EngineError, toEngineError } from '../../engine/errors.js';
import type { Pixels } from '../../engine/media/media.js';
import type { UpscaleModel } from '../model.js';

/**
 * The model, whose faulty tiles are made again by the fallback: half precision overflows to what is no number, and some
 * drivers answer with black pictures instead of errors. Errors: `internal` when the second try is no better, or there is
 * nothing to try with.
 */
export function mendFaults(model: UpscaleModel, fallback: () => Promise<UpscaleModel | null>): UpscaleModel {
  return {
    ...model,
    async upscale(tile) {
      const first = await attempt(model, tile);
      if ('large' in first) return first.large;
      const other = await fallback();
      if (!other) throw first.error;
      const second = await attempt(other, tile);
      if ('large' in second) return second.large;
      throw second.error;
    },
  };
}

async function attempt(model: UpscaleModel, tile: Pixels): Promise<{ large: Pixels } | { error: EngineError }> {
  try {
    const large = await model.upscale(tile);
    if (large.data.some((value) => value !== 0) || isDark(tile)) return { large };
  } catch (error) {
    const known = toEngineError(error);
    if (known.code !== 'internal') throw known;
    return { error: known };
  }
  const message = `Model "${model.id}" made a picture black; its device may be at fault`;
  return { error: new EngineError('internal', message) };
}

function isDark({ data }: Pixels): boolean {
  return data.reduce((sum, value) => sum + value, 0) < 4 * data.length;
}
