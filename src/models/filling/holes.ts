import type { Pixels, Size } from '../../engine/media/media.js';
import { isBlank } from './blank.js';

/** A part of a picture. */
export interface Box extends Size {
  left: number;
  top: number;
}

// Marks nearer to one another than about two cells are filled together.
const cell = 32;

/**
 * The boxes around what a mask marks (any sample but 0), from top to bottom: marks that lie close together share one. The
 * mask is looked at once, whatever is marked.
 */
export function findHoles(mask: Pixels): Box[] {
  const columns = Math.ceil(mask.width / cell);
  const cells = cellBoxes(mask, columns);
  const holes: Box[] = [];
  for (const start of cells.keys()) {
    const members = [takeFrom(cells, start)];
    for (const { left, top } of members) {
      const [column, row] = [Math.floor(left / cell), Math.floor(top / cell)];
      for (const near of around(column, row, columns)) if (cells.has(near)) members.push(takeFrom(cells, near));
    }
    holes.push(members.reduce(union));
  }
  return holes;
}

/** The smallest box that holds both. */
export function union(one: Box, other: Box): Box {
  const [left, top] = [Math.min(one.left, other.left), Math.min(one.top, other.top)];
  const right = Math.max(one.left + one.width, other.left + other.width);
  const bottom = Math.max(one.top + one.height, other.top + other.height);
  return { left, top, width: right - left, height: bottom - top };
}

/** The box with `margin` pixels more on every side, as far as the picture goes, begun at a multiple of `granule`. */
export function widen({ left, top, width, height }: Box, margin: number, limit: Size, granule = 1): Box {
  const floor = (value: number) => Math.floor(Math.max(0, value) / granule) * granule;
  const [x, y] = [floor(left - margin), floor(top - margin)];
  return {
    left: x,
    top: y,
    width: Math.min(limit.width, left + width + margin) - x,
    height: Math.min(limit.height, top + height + margin) - y,
  };
}

/** A box of this side, or as large as the picture where that is smaller, with a smaller box as near to its middle as can be. */
export function windowAround({ left, top, width, height }: Box, side: number, limit: Size): Box {
  const along = (start: number, length: number, most: number): [start: number, length: number] => {
    const size = Math.min(side, most);
    return [Math.min(Math.max(0, start - Math.floor((size - length) / 2)), most - size), size];
  };
  const [[x, across], [y, down]] = [along(left, width, limit.width), along(top, height, limit.height)];
  return { left: x, top: y, width: across, height: down };
}

/** What is marked in each cell of the mask, as a box; cells without any mark are left out. */
function cellBoxes(mask: Pixels, columns: number): Map<number, Box> {
  const cells = new Map<number, Box>();
  for (let y = 0; y < mask.height; y++) {
    if (isBlank(mask.data.subarray(y * mask.width, (y + 1) * mask.width))) continue;
    for (let column = 0; column < columns; column++) {
      const marked = markedSpan(mask, y, column * cell);
      if (!marked) continue;
      const key = Math.floor(y / cell) * columns + column;
      const known = cells.get(key);
      cells.set(key, known ? union(known, marked) : marked);
    }
  }
  return cells;
}

/** From the first to the last mark of a row within the cell that begins at `start`. */
function markedSpan({ data, width }: Pixels, y: number, start: number): Box | null {
  let first = y * width + start;
  let end = y * width + Math.min(width, start + cell);
  while (first < end && data[first] === 0) first++;
  if (first === end) return null;
  while (data[end - 1] === 0) end--;
  return { left: first - y * width, top: y, width: end - first, height: 1 };
}

function takeFrom(cells: Map<number, Box>, key: number): Box {
  const box = cells.get(key) as Box;
  cells.delete(key);
  return box;
}

function around(column: number, row: number, columns: number): number[] {
  const steps = [-1, 0, 1];
  return steps.flatMap((down) =>
    steps
      .filter((across) => column + across >= 0 && column + across < columns)
      .map((across) => (row + down) * columns + column + across),
  );
}
