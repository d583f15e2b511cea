import type { Pixels, Plane } from '../media/media.js';

/** A subject cut free, with room around it. */
export interface Body {
  /** 4 channels, transparent at its border. */
  pixels: Pixels;
  /** Where its content lies, in pixels: `bottom` is what it stands on. */
  box: { left: number; right: number; top: number; bottom: number };
  alpha: Plane;
  /** Where a place of the body (in fractions of its pixels' sides) lies in the picture that it was cut from, in fractions too. */
  inPicture(x: number, y: number): readonly [x: number, y: number];
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
  const inPicture = (x: number, y: number) =>
    [(x * size.width - room + seen.left) / width, (y * size.height - room + seen.top) / height] as const;
  return { pixels, box, alpha, inPicture };
}

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
