import type { Pixels } from '../../media/media.js';
import type { EditWishes } from '../../studio/edit-wording.js';

/** What becomes of each of the 256 sample values of red, green and blue. */
type Curves = readonly [Uint8Array, Uint8Array, Uint8Array];

/** How far a wish of 1 goes: a power of the level, a gain of red against blue, a gain around the middle. */
const [mostBrightness, mostWarmth, mostContrast] = [0.6, 0.16, 0.5];

/** The curves of a wish for other light, -1..1 on each axis; null if it is to stay as it is. */
export function lightCurve({ brightness, warmth, contrast }: EditWishes['light']): Curves | null {
  if (brightness === 0 && warmth === 0 && contrast === 0) return null;
  const power = 2 ** (-mostBrightness * brightness);
  const curve = (gain: number) =>
    Uint8Array.from({ length: 256 }, (_, value) => {
      const lit = Math.min(1, (value / 255) * gain) ** power;
      // An S around the middle: steeper there, and black and white stay where they are.
      const steep = lit < 0.5 ? 2 * lit * lit : 1 - 2 * (1 - lit) ** 2;
      return Math.round(255 * Math.min(1, Math.max(0, lit + (steep - lit) * mostContrast * 2 * contrast)));
    });
  return [curve(1 + mostWarmth * warmth), curve(1), curve(1 - mostWarmth * warmth)];
}

/** Applies the curves in place; alpha is left alone. */
export function relight({ data, channels }: Pixels, [red, green, blue]: Curves): void {
  for (let at = 0; at < data.length; at += channels) {
    data[at] = red[data[at] as number] as number;
    data[at + 1] = green[data[at + 1] as number] as number;
    data[at + 2] = blue[data[at + 2] as number] as number;
  }
}
