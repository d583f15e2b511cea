import type { Size } from '../../engine/media/media.js';

/** Areas of pixels that hang together by their sides. */
export interface Regions {
  /** Per pixel, the number of its region from 1 on; 0 for pixels that were not asked for. */
  labels: Int32Array;
  /** By number, from 1 on: pixels of the region; the entry 0 is nobody's. */
  areas: number[];
  /** By number: whether the region reaches the border of the picture. */
  atBorder: boolean[];
}

/** The regions of the pixels for which `isIn` holds, in the order of their first pixels. */
export function findRegions({ width, height }: Size, isIn: (at: number) => boolean): Regions {
  const labels = new Int32Array(width * height);
  const regions: Regions = { labels, areas: [0], atBorder: [false] };
  const stack: number[] = [];
  const enter = (at: number, label: number) => {
    if (labels[at] !== 0 || !isIn(at)) return;
    labels[at] = label;
    stack.push(at);
  };
  for (let first = 0; first < labels.length; first++) {
    if (labels[first] !== 0 || !isIn(first)) continue;
    const label = regions.areas.length;
    let [area, atBorder] = [0, false];
    enter(first, label);
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const x = at % width;
      area += 1;
      atBorder ||= x === 0 || x === width - 1 || at < width || at >= labels.length - width;
      if (x > 0) enter(at - 1, label);
      if (x < width - 1) enter(at + 1, label);
      if (at >= width) enter(at - width, label);
      if (at < labels.length - width) enter(at + width, label);
    }
    regions.areas.push(area);
    regions.atBorder.push(atBorder);
  }
  return regions;
}
