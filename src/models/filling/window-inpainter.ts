import type { Pixels } from '../../engine/media/media.js';
import { fillPyramid } from './fill-pyramid.js';
import { cropTo, mirrorTo } from '../nets/mirrored-edge.js';
import type { InpaintModel } from '../model.js';

/** A network that fills holes in pictures of one size. */
export interface WindowNet {
  id: string;
  /** Both sides of its pictures. */
  size: number;
  /** The picture (3 channels) with what the mask marks (1 channel, 255 = fill, 0 = keep; black in the picture) filled. */
  run(picture: Pixels, mask: Pixels): Promise<Pixels>;
}

/**
 * The network as a model for crops of any size up to its own: smaller ones are shown with their mirror image around, what
 * is to be filled is blanked before, and what is known is put back after. Of a sketch it goes on with the shapes, since a
 * window in the midst of a hole would show it next to nothing.
 */
export function windowInpainter({ id, size, run }: WindowNet): InpaintModel {
  return {
    id,
    size,
    hasFixedSize: true,
    paintsTexture: true,
    async fill(crop, mask, sketch) {
      if (sketch) return fillPyramid(crop, mask, { halvings: 0, multiple: 2, improve: asIs, sketch });
      const window = { width: size, height: size };
      const filled = await run(mirrorTo(blank(crop, mask), window), mirrorTo(binary(mask), window));
      return keepKnown(crop, mask, cropTo(filled, crop));
    },
  };
}

async function asIs({ colours }: { colours: Float32Array }): Promise<Float32Array> {
  return colours;
}

/** The crop with black where the mask marks it: nothing of what is to go may show through. */
function blank(crop: Pixels, mask: Pixels): Pixels {
  return { ...crop, data: crop.data.map((level, at) => (mask.data[Math.floor(at / 3)] === 0 ? level : 0)) };
}

function binary(mask: Pixels): Pixels {
  return { ...mask, data: mask.data.map((mark) => (mark === 0 ? 0 : 255)) };
}

function keepKnown(crop: Pixels, mask: Pixels, filled: Pixels): Pixels {
  const data = filled.data.map((level, at) =>
    mask.data[Math.floor(at / 3)] === 0 ? (crop.data[at] as number) : level,
  );
  return { ...filled, data };
}
