import type { Size } from '../../engine/media/media.js';

/** The size at which the longest side has at most this many pixels; smaller ones stay as they are. */
export function shrunkTo({ width, height }: Size, side: number): Size {
  const factor = Math.min(1, side / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}
