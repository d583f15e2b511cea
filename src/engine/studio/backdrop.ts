import type { Pixels, Size } from '../media/media.js';
import type { Rgba } from './colour.js';

/** What stands behind a subject. */
export type Backdrop =
  | { kind: 'plain'; colour: Rgba }
  /** `angle` as in CSS: 0 runs upwards, 90 to the right, 180 downwards. */
  | { kind: 'gradient'; from: Rgba; to: Rgba; angle: number }
  /** A lit paper sweep: a wall that becomes a floor at `horizon` (0..1 of the height, where the subject stands). */
  | { kind: 'studio'; colour: Rgba; horizon: number };

/** Rows of a backdrop of this size (4 channels), any of them at any time. */
export type BackdropRows = (top: number, height: number) => Pixels;

/** Draws rows of a backdrop. Gradients are dithered, the same way every time: 8 bits alone show as steps. */
export function backdropRows(backdrop: Backdrop, canvas: Size): BackdropRows {
  if (backdrop.kind === 'plain') return plainRows(backdrop.colour, canvas);
  const shade = backdrop.kind === 'gradient' ? gradient(backdrop, canvas) : studio(backdrop, canvas);
  return (top, height) => {
    const data = new Uint8Array(canvas.width * height * 4);
    const colour: [number, number, number, number] = [0, 0, 0, 0];
    for (let y = top, at = 0; y < top + height; y++) {
      for (let x = 0; x < canvas.width; x++, at += 4) {
        shade(x + 0.5, y + 0.5, colour);
        const grain = noiseAt(x, y);
        for (let channel = 0; channel < 4; channel++) {
          data[at + channel] = Math.min(255, Math.max(0, Math.floor((colour[channel] as number) + grain)));
        }
      }
    }
    return { data, width: canvas.width, height, channels: 4 };
  };
}

/** Whether nothing can be seen through a backdrop. */
export function isOpaque(backdrop: Backdrop): boolean {
  if (backdrop.kind === 'gradient') return backdrop.from[3] === 255 && backdrop.to[3] === 255;
  return backdrop.colour[3] === 255;
}

function plainRows([red, green, blue, alpha]: Rgba, { width }: Size): BackdropRows {
  return (_, height) => {
    const data = new Uint8Array(width * height * 4);
    new Uint32Array(data.buffer).fill(new Uint32Array(Uint8Array.of(red, green, blue, alpha).buffer)[0] as number);
    return { data, width, height, channels: 4 };
  };
}

/** Writes the colour of a place on the canvas. */
type Shade = (x: number, y: number, colour: [number, number, number, number]) => void;

/** Along a line through the middle that is just long enough for the corners to have the pure colours (CSS Images 3, 3.1). */
function gradient({ from, to, angle }: Extract<Backdrop, { kind: 'gradient' }>, { width, height }: Size): Shade {
  const [right, down] = [Math.sin((angle * Math.PI) / 180), -Math.cos((angle * Math.PI) / 180)];
  const length = Math.abs(right) * width + Math.abs(down) * height;
  return (x, y, colour) => {
    const share = 0.5 + ((x - width / 2) * right + (y - height / 2) * down) / length;
    for (let channel = 0; channel < 4; channel++) {
      const start = from[channel] as number;
      colour[channel] = start + ((to[channel] as number) - start) * share;
    }
  };
}

/** How much lighter the pool of light on the wall is than its corners, and how dark the crease between wall and floor. */
const [pool, crease] = [0.12, 0.05];

function studio({ colour: base, horizon }: Extract<Backdrop, { kind: 'studio' }>, { width, height }: Size): Shade {
  return (x, y, colour) => {
    const [across, down] = [x / width - 0.5, y / height];
    const wall = 1 - pool * (1 - Math.exp(-((across / 0.55) ** 2) - ((down - horizon * 0.55) / 0.6) ** 2));
    const floor = 1 - 0.5 * pool * (1 - Math.exp(-((across / 0.7) ** 2))) - 0.03 * (1 - down);
    const share = 1 / (1 + Math.exp((horizon - 0.06 - down) / 0.025));
    const bend = crease * Math.exp(-(((down - horizon + 0.05) / 0.05) ** 2)) * (0.6 + 0.4 * Math.cos(across * Math.PI));
    const light = wall + (floor - wall) * share - bend;
    for (let channel = 0; channel < 3; channel++) colour[channel] = (base[channel] as number) * Math.min(1, light);
    colour[3] = base[3];
  };
}

/** 0..1, even and without a pattern that the eye finds (interleaved gradient noise, Jimenez 2014). */
function noiseAt(x: number, y: number): number {
  const value = 52.9829189 * ((0.06711056 * x + 0.00583715 * y) % 1);
  return value - Math.floor(value);
}
