import type { Pixels, Plane, Size } from '../../engine/media/media.js';
import { mix, type Position, position, resizePlane } from '../pixels/bilinear.js';
import type { MattingModel } from '../model.js';

/** How many times larger a picture for two looks is than the input of the network: the detail that the second one sees. */
export const secondLookScale = 2;

/** A part of a picture, in its pixels. */
export interface Box extends Size {
  left: number;
  top: number;
}

/**
 * Matte 0..1 of a picture (3 channels, of `secondLookScale` times the size that the model wants) at its own size: the mean of
 * a look at the whole and one at the part where the subject was seen, which shows it larger and nothing else beside it.
 */
export async function lookTwice(model: MattingModel, picture: Pixels): Promise<Plane> {
  const { width, height } = picture;
  const size = { width: width / secondLookScale, height: height / secondLookScale };
  const first = await model.predict(stretchPart(picture, { left: 0, top: 0, width, height }, size));
  const whole = resizePlane(first, picture);
  const box = subjectBox(whole);
  if (box === null) return whole;
  return averageInside(whole, await model.predict(stretchPart(picture, box, size)), box);
}

// Shares of the subject's box left around it, so that what the first look missed has a chance.
const margin = 0.12;

// From this share of the picture on a second look would show hardly more than the first.
const nearlyAll = 0.8;

/** Where a matte says that something is, with a margin; null if there is nothing, or hardly anything else. */
export function subjectBox({ data, width, height }: Plane): Box | null {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if ((data[at] as number) <= 0.5) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  if (right < 0) return null;
  const [across, down] = [Math.ceil(margin * (right - left + 1)), Math.ceil(margin * (bottom - top + 1))];
  const [from, above] = [Math.max(0, left - across), Math.max(0, top - down)];
  const box = {
    left: from,
    top: above,
    width: Math.min(width, right + 1 + across) - from,
    height: Math.min(height, bottom + 1 + down) - above,
  };
  return box.width * box.height > nearlyAll * width * height ? null : box;
}

/** A part of a picture (3 channels) at another size, bilinear: to be made smaller by two at most. */
export function stretchPart(picture: Pixels, box: Box, { width, height }: Size): Pixels {
  const data = new Uint8Array(3 * width * height);
  const columns = Array.from({ length: width }, (_, x) => position(x, width, box.width));
  for (let y = 0, to = 0; y < height; y++) {
    const { before, after, share } = position(y, height, box.height);
    const [upper, lower] = [before, after].map((row) => (box.top + row) * picture.width + box.left) as [number, number];
    for (let x = 0; x < width; x++) {
      const across = columns[x] as Position;
      for (let channel = 0; channel < 3; channel++, to++) {
        const along = (row: number) =>
          mix(
            picture.data[3 * (row + across.before) + channel] as number,
            picture.data[3 * (row + across.after) + channel] as number,
            across.share,
          );
        data[to] = Math.round(mix(along(upper), along(lower), share));
      }
    }
  }
  return { data, width, height, channels: 3 };
}

function averageInside(whole: Plane, part: Plane, box: Box): Plane {
  const inside = resizePlane(part, box);
  const data = Float32Array.from(whole.data);
  for (let y = 0, from = 0; y < box.height; y++) {
    let at = (box.top + y) * whole.width + box.left;
    for (let x = 0; x < box.width; x++, at++, from++) {
      data[at] = ((data[at] as number) + (inside.data[from] as number)) / 2;
    }
  }
  return { ...whole, data };
}
