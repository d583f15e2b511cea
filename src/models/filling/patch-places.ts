import type { Size } from '../../engine/media/media.js';
import type { Layer } from './layer.js';
import { type Matches, reach, type Search, stride } from './patch-match.js';

/** The targets of a layer, on a grid over all patches that touch its hole, and the sources: all patches that do not. */
export function findPlaces({ hole, width, height }: Layer): Search {
  const isSource = new Uint8Array(width * height);
  const [sources, targets]: [number[], number[]] = [[], []];
  const touches = touchesHole(hole, { width, height });
  for (let y = reach; y < height - reach; y++) {
    for (let x = reach; x < width - reach; x++) {
      const at = y * width + x;
      if (touches[at] === 0) {
        isSource[at] = 1;
        sources.push(at);
      } else if (x % stride === 0 && y % stride === 0) targets.push(at);
    }
  }
  return { isSource, sources: Uint32Array.from(sources), targets: Uint32Array.from(targets) };
}

/** 1 where the patch around a pixel has a part of the hole. */
function touchesHole(hole: Uint8Array, { width, height }: Size): Uint8Array {
  const rows = new Uint8Array(width * height);
  const result = new Uint8Array(width * height);
  for (let at = 0; at < hole.length; at++) {
    if (hole[at] === 0) continue;
    const x = at % width;
    rows.fill(1, at - Math.min(x, reach), at + Math.min(width - 1 - x, reach) + 1);
  }
  for (let y = 0; y < height; y++) {
    for (let row = Math.max(0, y - reach); row <= Math.min(height - 1, y + reach); row++) {
      for (let x = 0; x < width; x++) if (rows[row * width + x] === 1) result[y * width + x] = 1;
    }
  }
  return result;
}

/** For each target a source nearby, where chance finds one, else any. There must be one. */
export function guessMatches(
  { targets, isSource, sources }: Search,
  { width, height }: Size,
  random: () => number,
): Matches {
  return targets.map((target) => {
    const [x, y] = [target % width, Math.floor(target / width)];
    for (let attempt = 0, radius = 8; attempt < 12; attempt++, radius *= 1.25) {
      const across = Math.round(x + (2 * random() - 1) * radius);
      const down = Math.round(y + (2 * random() - 1) * radius);
      const isInside = across >= 0 && across < width && down >= 0 && down < height;
      if (isInside && isSource[down * width + across] === 1) return down * width + across;
    }
    return sources[Math.floor(random() * sources.length)] as number;
  });
}

/** Matches that were found at half the size, for the targets of this one: as far away, twice. */
export function doubleMatches(
  search: Search,
  { width, height }: Size,
  { half, below, random }: { half: Size; below: { search: Search; matches: Matches }; random: () => number },
): Matches {
  const found = new Map<number, number>();
  for (const [index, target] of below.search.targets.entries()) found.set(target, below.matches[index] as number);
  return guessMatches(search, { width, height }, random).map((guess, index) => {
    const target = search.targets[index] as number;
    const [x, y] = [target % width, Math.floor(target / width)];
    const smallX = Math.floor(x / 2 / stride) * stride;
    const smallY = Math.floor(y / 2 / stride) * stride;
    const match = found.get(smallY * half.width + smallX);
    if (match === undefined) return guess;
    const column = x + 2 * ((match % half.width) - smallX);
    const row = y + 2 * (Math.floor(match / half.width) - smallY);
    const isInside = column >= 0 && column < width && row >= 0 && row < height;
    return isInside && search.isSource[row * width + column] === 1 ? row * width + column : guess;
  });
}
