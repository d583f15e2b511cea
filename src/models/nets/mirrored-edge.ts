import type { Pixels, Size } from '../../engine/media/media.js';

/**
 * The picture with its mirror image to the right and below, again and again, until it has this size: what networks are
 * shown that take only some sizes. Edge pixels come twice.
 */
export function mirrorTo(picture: Pixels, { width, height }: Size): Pixels {
  if (picture.width === width && picture.height === height) return picture;
  const { channels } = picture;
  const data = new Uint8Array(width * height * channels);
  for (let y = 0, to = 0; y < height; y++) {
    const row = mirrored(y, picture.height) * picture.width;
    for (let x = 0; x < width; x++) {
      const from = (row + mirrored(x, picture.width)) * channels;
      for (let channel = 0; channel < channels; channel++, to++) data[to] = picture.data[from + channel] as number;
    }
  }
  return { data, width, height, channels };
}

/** The picture mirrored until both sides are multiples. */
export function mirrorToMultiple(picture: Pixels, multiple: number): Pixels {
  const side = (length: number) => Math.ceil(length / multiple) * multiple;
  return mirrorTo(picture, { width: side(picture.width), height: side(picture.height) });
}

/** The upper left part of a picture. */
export function cropTo(picture: Pixels, { width, height }: Size): Pixels {
  if (picture.width === width && picture.height === height) return picture;
  const { channels } = picture;
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const from = y * picture.width * channels;
    data.set(picture.data.subarray(from, from + width * channels), y * width * channels);
  }
  return { data, width, height, channels };
}

function mirrored(at: number, length: number): number {
  const place = at % (2 * length);
  return place < length ? place : 2 * length - 1 - place;
}
