import type { Pixels, Plane, Size } from '../../engine/media/media.js';

/** What was seen of an alpha channel while its rows went by. */
export interface AlphaSurvey {
  /** Share of the picture that is kept, 0..1. */
  coverage: number;
  /** The smallest rectangle around all that can be seen; null if nothing can. */
  box: (Size & { left: number; top: number }) | null;
  /** Shares of the top, right, bottom and left side of the picture that are kept. */
  sides: [top: number, right: number, bottom: number, left: number];
  /** Pixels that are neither kept nor removed. */
  soft: number;
  /** Length in pixels of the line between what is kept and what is removed. */
  outline: number;
  /** Alpha 0..1 at a smaller size, each value the mean of its part. */
  plane: Plane;
}

// What is fainter than this can't be seen on any background: 3 %.
const visible = 8;

const half = 127;

// Large enough to find what a person would see, small enough to flood in milliseconds.
const planeSide = 512;

/** Collects what there is to say of an alpha channel (1 channel, or the last of 4) from its rows, top to bottom. */
export function surveyAlpha(size: Size): { add(rows: Pixels): void; result(): AlphaSurvey } {
  const factor = Math.min(1, planeSide / Math.max(size.width, size.height));
  const width = Math.max(1, Math.round(size.width * factor));
  const height = Math.max(1, Math.round(size.height * factor));
  const cells = Int32Array.from({ length: size.width }, (_, x) => Math.floor((x * width) / size.width));
  const sums = new Float32Array(width * height);
  const edges = createEdges(size);
  let top = 0;
  return {
    add(rows) {
      const line = new Uint8Array(size.width);
      for (let y = 0; y < rows.height; y++, top++) {
        for (let x = 0, at = (y * size.width + 1) * rows.channels - 1; x < size.width; x++, at += rows.channels) {
          line[x] = rows.data[at] as number;
        }
        const row = Math.floor((top * height) / size.height) * width;
        for (let x = 0; x < size.width; x++) {
          const cell = row + (cells[x] as number);
          sums[cell] = (sums[cell] as number) + (line[x] as number);
        }
        edges.add(line, top);
      }
    },
    result() {
      const total = sums.reduce((sum, value) => sum + value, 0);
      const [across, down] = [counts(size.width, width), counts(size.height, height)];
      const area = (cell: number) => (across[cell % width] as number) * (down[Math.floor(cell / width)] as number);
      const data = sums.map((sum, cell) => sum / (255 * area(cell)));
      return { ...edges.result(), coverage: total / (255 * size.width * size.height), plane: { data, width, height } };
    },
  };
}

/** How many pixels of an axis fall into each cell of it. */
function counts(length: number, cells: number): Int32Array {
  const found = new Int32Array(cells);
  for (let at = 0; at < length; at++) {
    const cell = Math.floor((at * cells) / length);
    found[cell] = (found[cell] as number) + 1;
  }
  return found;
}

function createEdges({ width, height }: Size) {
  const extent = { left: width, right: -1, top: height, bottom: -1 };
  const sides: AlphaSurvey['sides'] = [0, 0, 0, 0];
  let before: Uint8Array | null = null;
  let [soft, outline] = [0, 0];
  return {
    add(line: Uint8Array, y: number): void {
      const upper = before ?? line;
      for (let x = 0, left = line[0] as number; x < width; x++) {
        const alpha = line[x] as number;
        const above = upper[x] as number;
        // Inside and outside of the subject there is nothing to note: that is nearly everywhere.
        if (alpha === left && alpha === above && (alpha === 0 || alpha === 255)) continue;
        if (alpha >= visible && alpha <= 255 - visible) soft += 1;
        if (alpha > half !== left > half) outline += 1;
        if (alpha > half !== above > half) outline += 1;
        left = alpha;
      }
      widen(extent, line, y);
      if (y === 0) sides[0] = keptShare(line);
      if (y === height - 1) sides[2] = keptShare(line);
      if ((line[width - 1] as number) > half) sides[1] += 1 / height;
      if ((line[0] as number) > half) sides[3] += 1 / height;
      before = line.slice();
    },
    result(): Omit<AlphaSurvey, 'coverage' | 'plane'> {
      const { left, right, top, bottom } = extent;
      const box = right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
      return { box, sides, soft, outline };
    },
  };
}

/** Takes what can be seen in a row into the extent of the subject. */
function widen(
  extent: { left: number; right: number; top: number; bottom: number },
  line: Uint8Array,
  y: number,
): void {
  const first = line.findIndex((alpha) => alpha >= visible);
  if (first < 0) return;
  extent.left = Math.min(extent.left, first);
  extent.right = Math.max(
    extent.right,
    line.findLastIndex((alpha) => alpha >= visible),
  );
  extent.top = Math.min(extent.top, y);
  extent.bottom = y;
}

function keptShare(line: Uint8Array): number {
  return line.reduce((sum, alpha) => sum + (alpha > half ? 1 : 0), 0) / line.length;
}
