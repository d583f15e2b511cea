import type { Pixels } from '../media/media.js';
import type { Canvas } from './canvas.js';
import { doubled } from './doubling.js';
import { softened, toPlanes } from './levels.js';
import type { Mesh } from './mesh.js';
import { createPlane, type PaddedPlane, type PlaneMaker } from './plane.js';

/** A picture that is transparent around its content, ready to be laid over frames: samples are multiplied by alpha. */
export interface Layer {
  luma: PaddedPlane;
  cb: PaddedPlane;
  cr: PaddedPlane;
  lumaAlpha: PaddedPlane;
  chromaAlpha: PaddedPlane;
}

const pad = 8;

/** A picture with straight alpha (4 channels) as a layer for this canvas; its border should be transparent. */
export function layerOf(pixels: Pixels, canvas: Canvas): Layer {
  const { width, height, data } = pixels;
  const planes = toPlanes(pixels);
  const alpha = createPlane({ width, height }, pad);
  for (let y = 0, from = 3; y < height; y++) {
    for (let x = 0, to = (y + pad) * alpha.stride + pad; x < width; x++, from += 4, to++) {
      alpha.data[to] = data[from] as number;
    }
  }
  for (const { data: samples } of [planes.luma, planes.cb, planes.cr]) multiply(samples, alpha.data);
  const make: PlaneMaker = (size, room) => canvas.plane(size, room);
  return {
    luma: doubled(planes.luma, make),
    lumaAlpha: doubled(alpha, make),
    cb: softened(planes.cb, make),
    cr: softened(planes.cr, make),
    chromaAlpha: softened(alpha, make),
  };
}

/** Lays what the mesh says of a layer over the frame of its canvas. */
export function coverFrame({ luma, cb, cr, lumaAlpha, chromaAlpha }: Layer, canvas: Canvas, mesh: Mesh): void {
  canvas.cover(luma, lumaAlpha, { mesh, channel: 'luma' });
  canvas.cover(cb, chromaAlpha, { mesh, channel: 'cb' });
  canvas.cover(cr, chromaAlpha, { mesh, channel: 'cr' });
}

function multiply(samples: Uint8Array, alpha: Uint8Array): void {
  for (let at = 0; at < samples.length; at++) {
    samples[at] = ((samples[at] as number) * (alpha[at] as number) + 127) / 255;
  }
}
