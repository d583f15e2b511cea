import { ProviderFailure } from '../routing/failure.js';
import { extrasOf, type ImageOrder, type Order, type PictureRole, type VideoOrder } from '../routing/order.js';
import type { Assignment, Picture } from './provider.js';

/** One sentence for each thing that was asked for and that this service is not told. */
export function leftOut(order: Order, honoured: readonly string[], title: string): string[] {
  return extrasOf(order)
    .filter((name) => !honoured.includes(name))
    .map((name) => `\`${name}\` was left out: ${title} has nothing like it`);
}

/** The order as one for a clip. Errors: ProviderFailure `unfit`. */
export function videoOrder({ order, row }: Assignment): VideoOrder {
  if (order.kind === 'video') return order;
  throw new ProviderFailure('unfit', `${row.model} makes clips, not pictures`);
}

/** The order as one for pictures. Errors: ProviderFailure `unfit`. */
export function imageOrder({ order, row }: Assignment): ImageOrder {
  if (order.kind === 'image') return order;
  throw new ProviderFailure('unfit', `${row.model} makes pictures, not clips`);
}

/** The first picture with this role. */
export function picture({ pictures }: Assignment, role: PictureRole): Picture | undefined {
  return pictures.find((each) => each.role === role);
}

/** All pictures with this role. */
export function picturesOf({ pictures }: Assignment, role: PictureRole): Picture[] {
  return pictures.filter((each) => each.role === role);
}

/** The picture as a `data:` URI. */
export function dataUri({ contentType, bytes }: Picture): string {
  return `data:${contentType};base64,${bytes.toString('base64')}`;
}

/** The picture as a part of a form. */
export function asBlob({ contentType, bytes }: Picture): Blob {
  return new Blob([new Uint8Array(bytes)], { type: contentType });
}

/** A file name for a picture in a form. */
export function fileName({ contentType, role }: Picture): string {
  return `${role}.${contentType.replace('image/', '').replace('jpeg', 'jpg')}`;
}

/** The object without what is undefined or null, so that a service sees only what is meant. */
export function defined(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

/** Width and height of a ratio at a resolution: the shorter side is that of the resolution, both are even. */
export function pixels(ratio: string, resolution: string): { width: number; height: number } {
  const [across = 16, down = 9] = ratio.split(':').map(Number);
  const short = Number.parseInt(resolution, 10);
  const even = (value: number) => 2 * Math.round(value / 2);
  if (across >= down) return { width: even((short * across) / down), height: short };
  return { width: short, height: even((short * down) / across) };
}

/** The ratio of this list that is closest to the size. */
export function nearestRatio({ width, height }: { width: number; height: number }, ratios: readonly string[]): string {
  const distance = (ratio: string) => {
    const [across = 1, down = 1] = ratio.split(':').map(Number);
    return Math.abs(Math.log((across * height) / (down * width)));
  };
  return ratios.toSorted((a, b) => distance(a) - distance(b))[0] as string;
}

/**
 * The shots with whole seconds each, spread as evenly as they go and adding up to the total. No shot is shorter than a
 * second: what is too many is told in the last one.
 */
export function timedShots(shots: readonly string[], total: number): { prompt: string; seconds: number }[] {
  const fit = shots.slice(0, total - 1);
  const prompts = shots.length <= total ? shots : [...fit, shots.slice(fit.length).join('. ')];
  const until = (at: number) => Math.floor((total * at) / prompts.length);
  return prompts.map((prompt, at) => ({ prompt, seconds: until(at + 1) - until(at) }));
}

/** All ratios of the public API. */
export const allRatios = ['21:9', '16:9', '4:3', '1:1', '3:4', '9:16'] as const;
/** All resolutions of the public API. */
export const allResolutions = ['480p', '720p', '1080p'] as const;
