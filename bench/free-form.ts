import type { Pixels, Size } from '#src/engine/media/media.js';
import { randomNumbers } from './statistics.js';

/** Widths of the strokes in pixels, from and to. */
const widths = [10, 60] as const;

/**
 * A mask of brush strokes that wander (after Yu et al., "Free-Form Image Inpainting with Gated Convolution", 2019) over at
 * least this share of a picture: 255 = fill.
 */
export function freeForm({ width, height }: Size, share: number, seed: number): Pixels {
  const random = randomNumbers(seed);
  const mask: Pixels = { data: new Uint8Array(width * height), width, height, channels: 1 };
  const side = Math.max(width, height);
  while (coverage(mask) < share) {
    const radius = (widths[0] + random() * (widths[1] - widths[0])) / 2;
    let [x, y] = [random() * width, random() * height];
    let angle = random() * 2 * Math.PI;
    for (let turns = 1 + Math.floor(random() * 5); turns > 0; turns -= 1) {
      angle += 3 * (random() - 0.5);
      const length = (0.05 + 0.25 * random()) * side;
      for (let way = 0; way < length; way += radius / 4) {
        stamp(mask, { x: x + way * Math.cos(angle), y: y + way * Math.sin(angle), radius });
      }
      x += length * Math.cos(angle);
      y += length * Math.sin(angle);
    }
  }
  return mask;
}

/** Share of a mask that is to be filled. */
export function coverage({ data }: Pixels): number {
  return data.reduce((sum, value) => sum + (value === 0 ? 0 : 1), 0) / data.length;
}

function stamp({ data, width, height }: Pixels, { x, y, radius }: { x: number; y: number; radius: number }): void {
  for (let row = Math.max(0, Math.ceil(y - radius)); row <= Math.min(height - 1, y + radius); row += 1) {
    const half = Math.sqrt(Math.max(0, radius ** 2 - (row - y) ** 2));
    const [from, to] = [Math.max(0, Math.ceil(x - half)), Math.min(width, Math.floor(x + half) + 1)];
    if (from < to) data.fill(255, row * width + from, row * width + to);
  }
}
