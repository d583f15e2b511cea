import type { Frame, Pixels } from '../media/media.js';
import { doubled } from './doubling.js';
import { targetsOf } from './frame.js';
import { softened, toPlanes } from './levels.js';
import type { Mesh } from './mesh.js';
import { createPlane, type PaddedPlane } from './plane.js';
import { cover } from './sampling.js';

/** A picture that is transparent around its content, ready to be laid over frames: samples are multiplied by alpha. */
export interface Layer {
  luma: PaddedPlane;
  cb: PaddedPlane;
  cr: PaddedPlane;
  lumaAlpha: PaddedPlane;
  chromaAlpha: PaddedPlane;
}

const pad = 8;

/** A picture with straight alpha (4 channels) as a layer; its border should be transparent. */
export function layerOf(pixels: Pixels): Layer {
  const { width, height, data } = pixels;
  const planes = toPlanes(pixels);
  const alpha = createPlane({ width, height }, pad);
  for (let y = 0, from = 3; y < height; y++) {
    for (let x = 0, to = (y + pad) * alpha.stride + pad; x < width; x++, from += 4, to++) {
      alpha.data[to] = data[from] as number;
    }
  }
  for (const { data: samples } of [planes.luma, planes.cb, planes.cr]) multiply(samples, alpha.data);
  return {
    luma: doubled(planes.luma),
    lumaAlpha: doubled(alpha),
    cb: softened(planes.cb),
    cr: softened(planes.cr),
    chromaAlpha: softened(alpha),
  };
}

/** Lays what the mesh says of a layer over a frame. */
export function coverFrame(layer: Layer, frame: Frame, mesh: Mesh): void {
  const [luma, cb, cr] = targetsOf(frame);
  cover(layer.luma, layer.lumaAlpha, { mesh, target: luma });
  cover(layer.cb, layer.chromaAlpha, { mesh, target: cb });
  cover(layer.cr, layer.chromaAlpha, { mesh, target: cr });
}

function multiply(samples: Uint8Array, alpha: Uint8Array): void {
  for (let at = 0; at < samples.length; at++) {
    samples[at] = ((samples[at] as number) * (alpha[at] as number) + 127) / 255;
  }
}
