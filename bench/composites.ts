import sharp, { type Sharp } from 'sharp';
import type { Pixels } from '#src/engine/media/media.js';
import { isHeldOut, sharedFiles } from './material.js';
import { randomNumbers } from './statistics.js';

/** A picture and the alpha 0..255 of what it shows. */
export interface Scene {
  picture: Pixels;
  alpha: Uint8Array;
}

const side = 512;

/**
 * Rendered objects over photographs and studio backdrops, none of which any training of ours has seen; the same ones for
 * the same seed.
 */
export async function* composites(count: number, seed: number): AsyncGenerator<Scene> {
  const random = randomNumbers(seed);
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  const between = (low: number, high: number) => low + (high - low) * random();
  const objects = sharedFiles('training/objects', '.webp').filter((path) => isHeldOut(path, 0.1));
  const photos = sharedFiles('training/photos', '.webp').filter((path) => isHeldOut(path, 0.125));
  const backgrounds = [...photos, ...sharedFiles('images/kodak', '.png'), ...sharedFiles('images/gb82', '.png')];
  for (let index = 0; index < count; index += 1) {
    const backdrop = index % 3 === 2 ? studio(between) : await photograph(pick(backgrounds), between);
    const object = await place(pick(objects), between);
    const shadow = await raw(sharp(object.alpha, oneChannel).blur(between(4, 16)), 1);
    const shade = { alpha: shadow, strength: random() < 0.7 ? between(0, 0.5) : 0, offset: Math.round(between(2, 14)) };
    yield { picture: blend(object.colour, object.alpha, darkened(backdrop, shade)), alpha: object.alpha };
  }
}

/** A photograph with a measured alpha. */
export async function lemur(): Promise<Scene> {
  const file = (name: string) => sharedFiles('images/matting', name)[0] ?? '';
  const { data, info } = await sharp(file('lemur.png')).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const alpha = await raw(sharp(file('lemur_alpha.png')), 1);
  return { picture: { data, width: info.width, height: info.height, channels: 3 }, alpha };
}

type Between = (low: number, high: number) => number;

const oneChannel = { raw: { width: side, height: side, channels: 1 } } as const;

/** A square part of a photograph. */
async function photograph(path: string, between: Between): Promise<Uint8Array> {
  const { width, height } = await sharp(path).metadata();
  const size = Math.floor(Math.min(width, height) * between(0.5, 1));
  const left = Math.floor(between(0, width - size));
  const top = Math.floor(between(0, height - size));
  return raw(sharp(path).extract({ left, top, width: size, height: size }).resize(side, side), 3);
}

/** A plain colour with light falling off to one side. */
function studio(between: Between): Uint8Array {
  const colour = [0, 1, 2].map(() => between(90, 245));
  const [across, down] = [between(-50, 50), between(-50, 50)];
  return Uint8Array.from({ length: side * side * 3 }, (_, at) => {
    const pixel = Math.floor(at / 3);
    const light = across * ((pixel % side) / side - 0.5) + down * (Math.floor(pixel / side) / side - 0.5);
    return Math.min(255, Math.max(0, Math.round((colour[at % 3] as number) + light)));
  });
}

/** An object at some size and angle, somewhere about the middle. */
async function place(path: string, between: Between): Promise<{ colour: Uint8Array; alpha: Uint8Array }> {
  const size = Math.round(side * between(0.45, 0.9));
  const turned = sharp(path).resize(size, size, { kernel: 'cubic' }).rotate(between(-20, 20), { background: '#0000' });
  const { data, info } = await sharp(await turned.png().toBuffer())
    .resize(side, side, { fit: 'inside', withoutEnlargement: true })
    .png()
    .toBuffer({ resolveWithObject: true });
  const [left, top] = [info.width, info.height].map((length) => Math.round((side - length) * between(0.2, 0.8)));
  const canvas = sharp({ create: { width: side, height: side, channels: 4, background: '#0000' } });
  const placed = await canvas
    .composite([{ input: data, left: left as number, top: top as number }])
    .png()
    .toBuffer();
  const [colour, alpha] = await Promise.all([
    raw(sharp(placed).removeAlpha(), 3),
    raw(sharp(placed).extractChannel(3), 1),
  ]);
  return { colour, alpha };
}

interface Shade {
  alpha: Uint8Array;
  strength: number;
  /** Pixels to the lower right. */
  offset: number;
}

function darkened(backdrop: Uint8Array, { alpha, strength, offset }: Shade): Uint8Array {
  return backdrop.map((sample, at) => {
    const pixel = Math.floor(at / 3);
    const [x, y] = [(pixel % side) - offset, Math.floor(pixel / side) - offset];
    const cover = x < 0 || y < 0 ? 0 : (alpha[y * side + x] as number) / 255;
    return Math.round(sample * (1 - strength * cover));
  });
}

function blend(colour: Uint8Array, alpha: Uint8Array, backdrop: Uint8Array): Pixels {
  const data = backdrop.map((below, at) => {
    const cover = (alpha[Math.floor(at / 3)] as number) / 255;
    return Math.round((colour[at] as number) * cover + below * (1 - cover));
  });
  return { data, width: side, height: side, channels: 3 };
}

async function raw(image: Sharp, channels: 1 | 3): Promise<Uint8Array> {
  const space = channels === 1 ? 'b-w' : 'srgb';
  const { data, info } = await image.toColourspace(space).raw().toBuffer({ resolveWithObject: true });
  if (info.channels !== channels) throw new Error(`Expected ${channels} channels, got ${info.channels}`);
  return data;
}
