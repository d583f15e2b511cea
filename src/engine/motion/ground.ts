import { blurPlane } from '../../models/pixels/blur.js';
import type { Pixels, Plane } from '../media/media.js';
import type { Body } from './body.js';

/** Of the body's height: where it counts as touching the floor. */
const touch = 0.05;

/**
 * The shadow that a body leaves on the floor, black of varying alpha: dark and narrow where it touches, faint and wide
 * around. Same width as the body; `line` is the row of the result that lies at the body's bottom.
 */
export function shadowOf(body: Body): { pixels: Pixels; line: number } {
  const { box, alpha } = body;
  const [across, tall] = [box.right - box.left, box.bottom - box.top];
  const spread = Math.min(across, tall);
  const margin = Math.ceil(0.35 * spread);
  const size = { width: alpha.width + 2 * margin, height: 2 * margin };
  const standing = standingOn(body, Math.max(1, Math.round(touch * tall)));
  const dark = strip(standing, { size, margin, thickness: 0.012 * spread });
  const near = blurPlane(dark, { across: 0.02 * spread, down: 0.01 * spread });
  const wide = blurPlane(strip(standing, { size, margin, thickness: 0.05 * spread }), {
    across: 0.1 * spread,
    down: 0.045 * spread,
  });
  const pixels: Pixels = { data: new Uint8Array(4 * size.width * size.height), ...size, channels: 4 };
  for (let at = 0; at < near.data.length; at++) {
    const value = 0.5 * (near.data[at] as number) + 0.42 * (wide.data[at] as number);
    pixels.data[4 * at + 3] = Math.round(255 * Math.min(0.75, value));
  }
  return { pixels, line: margin };
}

/** The body upside down, fading away from the floor: what a glossy one shows of it. `line` is the row of its bottom. */
export function reflectionOf({ pixels, box }: Body): Pixels {
  const { width, height, data } = pixels;
  const result = new Uint8Array(data);
  const reach = reflectionReach * (box.bottom - box.top);
  for (let y = 0, at = 3; y < height; y++) {
    const share = Math.max(0, 1 - (box.bottom - y) / reach);
    for (let x = 0; x < width; x++, at += 4) {
      result[at] = Math.round((data[at] as number) * reflectivity * share * share);
    }
  }
  return { data: result, width, height, channels: 4 };
}

/** How much of the body a floor gives back, and over which part of its height that fades. */
const reflectivity = 0.22;
const reflectionReach = 0.35;

/** Per column of the body, how much of it touches the floor: 0..1. */
function standingOn({ alpha, box }: Body, rows: number): Float32Array {
  const standing = new Float32Array(alpha.width);
  for (let x = 0; x < alpha.width; x++) {
    for (let y = box.bottom - rows; y < box.bottom; y++) {
      standing[x] = Math.max(standing[x] as number, alpha.data[y * alpha.width + x] as number);
    }
  }
  return standing;
}

function strip(
  standing: Float32Array,
  { size, margin, thickness }: { size: { width: number; height: number }; margin: number; thickness: number },
): Plane {
  const data = new Float32Array(size.width * size.height);
  for (let y = 0; y < size.height; y++) {
    // A little before the line: what stands on a floor is seen from slightly above.
    const share = Math.exp(-(((y - size.height / 2 + thickness / 2) / thickness) ** 2));
    for (let x = 0; x < standing.length; x++) data[y * size.width + x + margin] = share * (standing[x] as number);
  }
  return { data, ...size };
}
