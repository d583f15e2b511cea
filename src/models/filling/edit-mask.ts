import type { Pixels, Size } from '../../engine/media/media.js';
import type { PixelReader } from '../../engine/operations/workbench.js';
import { isBlank } from './blank.js';
import { type Box, widen } from './holes.js';

// Few enough to stay in the cache of a core, enough to keep the disk out of it.
const rowsAtATime = 128;

// Samples of a mask that are looked at together.
const pieceOfMask = 1 << 14;

// Which rule marks a pixel.
const [byAlpha, byLight] = [1, 2];

/**
 * A mask as clients send it as one channel: 255 = edit, 0 = keep. With an alpha channel that is not opaque everywhere,
 * what is more transparent than not is edited (OpenAI's rule); otherwise what is white, from 128 on (IOPaint's).
 */
export async function readEditMask(source: PixelReader): Promise<Pixels> {
  const { width, height } = source;
  const data = new Uint8Array(width * height);
  let isTransparent = false;
  let above: Marked | null = null;
  for (let top = 0; top < height; top += rowsAtATime) {
    const rows = await source.readRows(top, Math.min(rowsAtATime, height - top));
    for (let y = 0; y < rows.height; y++) {
      const marks = data.subarray((top + y) * width, (top + y + 1) * width);
      above = markRow(rowOf(rows, y), { marks, above });
      isTransparent ||= above.isTransparent;
    }
  }
  keepRule(data, isTransparent ? byAlpha : byLight);
  return { data, width, height, channels: 1 };
}

/** A row of a mask, what is marked in it by which rule, and whether anything in it is transparent. */
interface Marked {
  row: Pixels;
  marks: Uint8Array;
  isBlank: boolean;
  isTransparent: boolean;
}

function rowOf({ data, width, channels }: Pixels, y: number): Pixels {
  const stride = width * channels;
  return { data: data.subarray(y * stride, (y + 1) * stride), width, height: 1, channels };
}

/** Notes for every pixel of a row by which rule it is marked. */
function markRow(row: Pixels, { marks, above }: { marks: Uint8Array; above: Marked | null }): Marked {
  // Most rows of a mask are like the one above, and to see that is much faster than to look at their pixels.
  if (above && Buffer.compare(above.row.data, row.data) === 0) {
    if (!above.isBlank) marks.set(above.marks);
    return { ...above, row, marks };
  }
  const { data, channels } = row;
  let isTransparent = false;
  let found = 0;
  for (let at = 0, from = 0; from < data.length; at++, from += channels) {
    const alpha = channels === 4 ? (data[from + 3] as number) : 255;
    if (alpha < 255) isTransparent = true;
    const rules = (alpha < 128 ? byAlpha : 0) | (lightOf(data, from) >= 128 ? byLight : 0);
    marks[at] = rules;
    found |= rules;
  }
  return { row, marks, isBlank: found === 0, isTransparent };
}

/** Turns notes into marks: 255 where this rule holds. */
function keepRule(data: Uint8Array, rule: number): void {
  const values = Uint8Array.from([0, 1, 2, 3], (rules) => (rules & rule ? 255 : 0));
  for (let start = 0; start < data.length; start += pieceOfMask) {
    const piece = data.subarray(start, start + pieceOfMask);
    if (isBlank(piece)) continue;
    for (let at = 0; at < piece.length; at++) piece[at] = values[piece[at] as number] as number;
  }
}

function lightOf(data: Uint8Array, at: number): number {
  // Whole thousandths, so that a grey of 128 is 128 and not a little less.
  return (299 * (data[at] as number) + 587 * (data[at + 1] as number) + 114 * (data[at + 2] as number)) / 1000;
}

/** Grows what is marked by this many pixels to every side, in place. */
export function dilateMask(mask: Pixels, pixels: number): void {
  const box = pixels === 0 ? null : boxAround(mask, pixels);
  if (box) for (const line of linesOf(box, mask)) growLine(mask.data, line, pixels);
}

/** The box around what is marked, this much wider on all sides as far as the mask goes; null if nothing is marked. */
function boxAround(mask: Pixels, pixels: number): Box | null {
  const marked = boundsOf(mask);
  return marked && widen(marked, pixels, mask);
}

/** The rows of a box in a plane, then its columns. */
function linesOf({ left, top, width, height }: Box, plane: Size): Line[] {
  const start = top * plane.width + left;
  const rows = Array.from({ length: height }, (_, y) => ({ start: start + y * plane.width, step: 1, count: width }));
  const columns = Array.from({ length: width }, (_, x) => ({ start: start + x, step: plane.width, count: height }));
  return [...rows, ...columns];
}

/** The box around what is marked; null if nothing is. A large picture has a small mask as a rule. */
function boundsOf({ data, width, height }: Pixels): Box | null {
  let [left, right, top, bottom] = [width, 0, height, 0];
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * width, (y + 1) * width);
    if (isBlank(row)) continue;
    left = Math.min(left, row.indexOf(255));
    right = Math.max(right, row.lastIndexOf(255) + 1);
    top = Math.min(top, y);
    bottom = y + 1;
  }
  return bottom === 0 ? null : { left, top, width: right - left, height: bottom - top };
}

interface Line {
  start: number;
  step: number;
  count: number;
}

function growLine(data: Uint8Array, { start, step, count }: Line, pixels: number): void {
  const marks: number[] = [];
  for (let index = 0; index < count; index++) if (data[start + index * step] === 255) marks.push(index);
  for (const mark of marks) {
    const end = Math.min(count - 1, mark + pixels);
    for (let index = Math.max(0, mark - pixels); index <= end; index++) data[start + index * step] = 255;
  }
}

/** Softens the border of a mask to a ramp that is this many pixels wide on each side (1 channel, 0..255). */
export function featherMask(mask: Pixels, pixels: number): Pixels {
  const data = new Uint8Array(mask.data.length);
  const box = boxAround(mask, pixels);
  if (box) {
    // Rows that nobody writes to cost no memory.
    const [start, end] = [box.top * mask.width, (box.top + box.height) * mask.width];
    data.set(mask.data.subarray(start, end), start);
    for (const line of linesOf(box, mask)) blurLine(data, line, pixels);
  }
  return { ...mask, data };
}

/** A box, with the ends of the line repeated. */
function blurLine(data: Uint8Array, { start, step, count }: Line, pixels: number): void {
  const line = Uint8Array.from({ length: count }, (_, index) => data[start + index * step] as number);
  const at = (index: number) => line[Math.min(count - 1, Math.max(0, index))] as number;
  let sum = 0;
  for (let index = -pixels; index <= pixels; index++) sum += at(index);
  for (let index = 0; index < count; index++) {
    data[start + index * step] = Math.round(sum / (2 * pixels + 1));
    sum += at(index + pixels + 1) - at(index - pixels);
  }
}
