import { blurPlane } from '../../models/blur.js';
import type { Pixels, Plane } from '../media/media.js';

/** A subject cut free, with room around it. */
export interface Body {
  /** 4 channels, transparent at its border. */
  pixels: Pixels;
  /** Where its content lies, in pixels: `bottom` is what it stands on. */
  box: { left: number; right: number; top: number; bottom: number };
  alpha: Plane;
}

/** Transparent pixels on each side: more than lie between two places of a mesh. */
const room = 32;

/** Cuts a subject free of the transparency around it; null if nothing of it can be seen. */
export function bodyOf({ data, width, height }: Pixels): Body | null {
  const seen = boxOf(data, width, height);
  if (!seen) return null;
  const size = { width: seen.right - seen.left + 2 * room, height: seen.bottom - seen.top + 2 * room };
  const pixels: Pixels = { data: new Uint8Array(size.width * size.height * 4), ...size, channels: 4 };
  for (let y = seen.top; y < seen.bottom; y++) {
    const row = data.subarray(4 * (y * width + seen.left), 4 * (y * width + seen.right));
    pixels.data.set(row, 4 * ((y - seen.top + room) * size.width + room));
  }
  const alpha = { data: new Float32Array(size.width * size.height), ...size };
  for (let at = 0; at < alpha.data.length; at++) alpha.data[at] = (pixels.data[4 * at + 3] as number) / 255;
  const box = { left: room, right: size.width - room, top: room, bottom: size.height - room };
  return { pixels, box, alpha };
}

/**
 * How far the body bulges toward the viewer at each place (in pixels), as one would guess from its outline: little at the
 * border, most where it is widest. It rises so gently that a turn by half a right angle hides none of it behind another part.
 */
export function bulgeOf({ alpha, box }: Body): Plane {
  const small = reduced(alpha, Math.min(1, bulgeSide / Math.max(alpha.width, alpha.height)));
  const width = ((box.right - box.left) * small.width) / alpha.width;
  const soft = blurPlane(small, { across: softness * width, down: softness * width });
  const most = soft.data.reduce((largest, value) => Math.max(largest, value), 1e-6);
  const depth = depthShare * (box.right - box.left);
  return { ...soft, data: soft.data.map((value) => (value / most) * depth) };
}

/** A body is taken to be as deep as this share of its width at its middle. */
const depthShare = 0.26;

/** Of the width of the body, how far its outline is spread. With this depth it rises by no more than one in two. */
const softness = 0.2;

/** The bulge has no detail that would be lost at this length of its longer side. */
const bulgeSide = 256;

/** The faintest alpha that counts as content. */
const faintest = 24;

function boxOf(data: Uint8Array, width: number, height: number): Body['box'] | null {
  const box = { left: width, right: 0, top: height, bottom: 0 };
  for (let y = 0, at = 3; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      if ((data[at] as number) < faintest) continue;
      box.left = Math.min(box.left, x);
      box.right = Math.max(box.right, x + 1);
      box.top = Math.min(box.top, y);
      box.bottom = Math.max(box.bottom, y + 1);
    }
  }
  return box.right > box.left ? box : null;
}

/** A plane at a smaller size, each value the mean of those it stands for. */
function reduced({ data, width, height }: Plane, factor: number): Plane {
  const size = { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
  const sums = new Float32Array(size.width * size.height);
  const counts = new Float32Array(sums.length);
  for (let y = 0, at = 0; y < height; y++) {
    const row = Math.min(Math.floor((y * size.height) / height), size.height - 1) * size.width;
    for (let x = 0; x < width; x++, at++) {
      const to = row + Math.min(Math.floor((x * size.width) / width), size.width - 1);
      sums[to] = (sums[to] as number) + (data[at] as number);
      counts[to] = (counts[to] as number) + 1;
    }
  }
  return { data: sums.map((sum, at) => sum / (counts[at] as number)), ...size };
}
