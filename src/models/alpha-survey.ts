import type { Pixels, Plane, Size } from '../engine/media/media.js';

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
  const counts = new Float32Array(width * height);
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
          counts[cell] = (counts[cell] as number) + 1;
        }
        edges.add(line, top);
      }
    },
    result() {
      const total = sums.reduce((sum, value) => sum + value, 0);
      const data = sums.map((sum, cell) => sum / (255 * (counts[cell] as number)));
      return { ...edges.result(), coverage: total / (255 * size.width * size.height), plane: { data, width, height } };
    },
  };
}

function createEdges({ width, height }: Size) {
  const extent = { left: width, right: -1, top: height, bottom: -1 };
  const sides: AlphaSurvey['sides'] = [0, 0, 0, 0];
  let before: Uint8Array | null = null;
  let [soft, outline] = [0, 0];
  return {
    add(line: Uint8Array, y: number): void {
      for (let x = 0; x < width; x++) {
        const alpha = line[x] as number;
        if (alpha >= visible) {
          if (x < extent.left) extent.left = x;
          if (x > extent.right) extent.right = x;
          extent.bottom = y;
          if (y < extent.top) extent.top = y;
          if (alpha <= 255 - visible) soft += 1;
        }
        const isKept = alpha > half;
        if (x > 0 && isKept !== (line[x - 1] as number) > half) outline += 1;
        if (before && isKept !== (before[x] as number) > half) outline += 1;
      }
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

function keptShare(line: Uint8Array): number {
  return line.reduce((sum, alpha) => sum + (alpha > half ? 1 : 0), 0) / line.length;
}
