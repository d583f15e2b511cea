import type { Size } from '../../engine/media/media.js';
import { findRegions } from './regions.js';

/** What is wrong with a mask, on a copy of its picture that may be smaller. */
export interface Flaws extends Size {
  /** Per pixel: nothing, part of a speck, or part of a hole. */
  data: Uint8Array;
  specks: number;
  holes: number;
}

const [speck, hole] = [1, 2];

// Alpha below the first is as good as nothing, above the second as good as all: a soft rim goes with its speck or hole.
const [faint, solid] = [25, 230];

/**
 * The specks (what is kept, apart from the rest) and holes (what is removed, surrounded by what is kept) of an alpha 0..255
 * that are smaller than `share` of the largest thing that is kept.
 */
export function findFlaws(alpha: Uint8Array, size: Size, share: number): Flaws {
  const kept = findRegions(size, (at) => (alpha[at] as number) > faint);
  const gone = findRegions(size, (at) => (alpha[at] as number) < solid);
  const limit = share * kept.areas.reduce((most, area) => Math.max(most, area), 0);
  const isSpeck = kept.areas.map((area, label) => label > 0 && area < limit);
  const isHole = gone.areas.map((area, label) => label > 0 && area < limit && !gone.atBorder[label]);
  const data = new Uint8Array(alpha.length);
  for (let at = 0; at < data.length; at++) {
    if (isSpeck[kept.labels[at] as number]) data[at] = speck;
    // A hole inside of a speck goes with it.
    else if (isHole[gone.labels[at] as number] && !isSpeck[kept.labels[at] as number]) data[at] = hole;
  }
  const count = (flags: boolean[]) => flags.filter(Boolean).length;
  return { ...size, data: widen(data, size), specks: count(isSpeck), holes: count(isHole) };
}

/** What removes the specks and fills the holes in alpha 0..255 of rows of the full picture, in place. */
export function withoutFlaws(flaws: Flaws, full: Size): (alpha: Uint8Array, top: number) => void {
  const columns = Int32Array.from({ length: full.width }, (_, x) => Math.floor(((x + 0.5) * flaws.width) / full.width));
  return (alpha, top) => {
    for (let at = 0, y = top; at < alpha.length; y++) {
      const row = Math.floor(((y + 0.5) * flaws.height) / full.height) * flaws.width;
      for (let x = 0; x < full.width; x++, at++) {
        const flaw = flaws.data[row + (columns[x] as number)];
        if (flaw === speck) alpha[at] = 0;
        else if (flaw === hole) alpha[at] = 255;
      }
    }
  };
}

/** One pixel more all around: on the larger picture the rim of a flaw lies beside it. */
function widen(data: Uint8Array, { width, height }: Size): Uint8Array {
  const wide = data.slice();
  for (let at = 0; at < data.length; at++) {
    if (data[at] !== 0) continue;
    const x = at % width;
    const beside = [x > 0 ? at - 1 : at, x < width - 1 ? at + 1 : at, at - width, at + width];
    for (const next of beside) {
      if (next >= 0 && next < width * height && data[next] !== 0) wide[at] = data[next] as number;
    }
  }
  return wide;
}
