import type { Pixels, Size } from '../media/media.js';
import type { PixelReader, Workbench } from './workbench.js';

// Few enough to stay in the cache of a core, enough to keep the disk out of it.
const rowsAtATime = 128;

/** A picture from top to bottom, a band of rows at a time. */
export async function* bands(bench: Workbench, source: PixelReader): AsyncGenerator<{ rows: Pixels; top: number }> {
  for (let top = 0; top < source.height; top += rowsAtATime) {
    bench.checkpoint('compose', top / source.height);
    yield { rows: await source.readRows(top, Math.min(rowsAtATime, source.height - top)), top };
  }
}

/** The size, made smaller where its longest side is more than `side`. */
export function within({ width, height }: Size, side: number): Size {
  const factor = Math.min(1, side / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}
