import type { Size } from '../../engine/media/media.js';

/** What patches are compared by: interleaved colours of shapes, which are smooth, and a plane of fine detail. */
export interface Looks extends Size {
  /** 3 channels. */
  shape: Float32Array;
  /** 1 channel. */
  detail: Float32Array;
}

/** The centre of a source patch for every target, in their order. */
export type Matches = Uint32Array;

/** Where patches are wanted and where they may come from. */
export interface Search {
  /** Centres of the patches that are looked for, by row: indices of pixels. */
  targets: Uint32Array;
  /** 1 where a patch may be taken: all of it lies in the picture and is known. */
  isSource: Uint8Array;
  /** The pixels that may be taken, as indices. */
  sources: Uint32Array;
}

/** Half the side of a patch; one must be able to stand around every target. */
export const reach = 4;

/** Pixels from one target to the next. */
export const stride = 2;

/** Numbers in 0..1 from a seed, the same on every machine (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Improves, in place, which source patch stands for each target: PatchMatch (Barnes et al. 2009), in which a good match of
 * one place is tried for its neighbours, and places around the best one so far. One sweep goes over all targets, forth
 * and back by turns.
 */
export function improveMatches(
  looks: Looks,
  { targets, isSource }: Search,
  { matches, random, sweeps, radius }: { matches: Matches; random: () => number; sweeps: number; radius: number },
): void {
  const { width, height } = looks;
  const compare = comparison(looks);
  const places = indexOfPlaces(targets, width * height);
  const costs = Float32Array.from(targets, (target, index) => compare(target, matches[index] as number, Infinity));
  const attempt = (index: number, source: number): void => {
    if (isSource[source] !== 1 || source === matches[index]) return;
    const cost = compare(targets[index] as number, source, costs[index] as number);
    if (cost >= (costs[index] as number)) return;
    costs[index] = cost;
    matches[index] = source;
  };
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const step = sweep % 2 === 0 ? 1 : -1;
    for (let count = 0; count < targets.length; count++) {
      const index = step > 0 ? count : targets.length - 1 - count;
      for (const shift of [step * stride, step * stride * width]) {
        const neighbour = places[(targets[index] as number) - shift] ?? -1;
        if (neighbour >= 0) attempt(index, (matches[neighbour] as number) + shift);
      }
      for (const shift of randomShifts(radius, width, random)) attempt(index, (matches[index] as number) + shift);
    }
  }
}

/**
 * Improves guesses, in place, where the hole has no detail yet: from its border inwards (targets in order of `depths`, one
 * per pixel) every target takes the patch that fits best to what is known or was laid before it, and lays it.
 */
export function growMatches(
  { detail, ...looks }: Looks,
  { targets, isSource }: Search,
  { matches, random, depths }: { matches: Matches; random: () => number; depths: Uint16Array },
): void {
  const { width, height } = looks;
  const grown = { ...looks, detail: detail.slice(), seen: Uint8Array.from(depths, (depth) => (depth === 0 ? 1 : 0)) };
  const compare = comparison(grown);
  const places = indexOfPlaces(targets, width * height);
  const isDone = new Uint8Array(targets.length);
  const depth = (index: number) => depths[targets[index] as number] as number;
  const order = Uint32Array.from(targets.keys()).sort((one, other) => depth(one) - depth(other) || one - other);
  for (const index of order) {
    const target = targets[index] as number;
    let best = { source: matches[index] as number, cost: Infinity };
    const attempt = (source: number): void => {
      if (isSource[source] !== 1) return;
      const cost = compare(target, source, best.cost);
      if (cost < best.cost) best = { source, cost };
    };
    attempt(best.source);
    for (const shift of around(width)) {
      const neighbour = places[target - shift] ?? -1;
      if (neighbour >= 0 && isDone[neighbour] === 1) attempt((matches[neighbour] as number) + shift);
    }
    for (const shift of randomShifts(64, width, random)) attempt(best.source + shift);
    matches[index] = best.source;
    isDone[index] = 1;
    layPatch(grown, target, best.source);
  }
}

function indexOfPlaces(targets: Uint32Array, area: number): Int32Array {
  const places = new Int32Array(area).fill(-1);
  targets.forEach((target, index) => {
    places[target] = index;
  });
  return places;
}

/** Steps to the next targets on all sides. */
function around(width: number): number[] {
  const [across, down] = [stride, stride * width];
  return [across, -across, down, -down, across + down, across - down, down - across, -across - down];
}

/** One step each at half the distance of the one before. */
function randomShifts(radius: number, width: number, random: () => number): number[] {
  const shifts: number[] = [];
  for (let far = radius; far >= 1; far /= 2) {
    const across = Math.round((2 * random() - 1) * far);
    shifts.push(across + width * Math.round((2 * random() - 1) * far));
  }
  return shifts;
}

function layPatch({ detail, seen, width }: Looks & { seen: Uint8Array }, target: number, source: number): void {
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const step = y * width + x;
      if (seen[target + step] === 1) continue;
      detail[target + step] = detail[source + step] as number;
      seen[target + step] = 1;
    }
  }
}

// Shapes are smooth: a few pixels of a patch tell them. Of the detail every second pixel, as on a chessboard, is enough.
const shapeStep = 4;
const shapeWeight = 10;
const detailWeight = 3;

/** Mean squared difference of the shapes of two patches, per sample. */
export function shapeDifference({ shape, width }: Pick<Looks, 'shape' | 'width'>, one: number, other: number): number {
  let sum = 0;
  for (let y = -reach; y <= reach; y += shapeStep) {
    for (let x = -reach; x <= reach; x += shapeStep) {
      const step = 3 * (y * width + x);
      for (let channel = 0; channel < 3; channel++) {
        const [from, to] = [3 * one + step + channel, 3 * other + step + channel];
        sum += ((shape[from] as number) - (shape[to] as number)) ** 2;
      }
    }
  }
  return sum / 27;
}

type Compare = (target: number, source: number, limit: number) => number;

/** Sum of squared differences of two patches, of the detail as far as it is `seen` in the target; given up at `limit`. */
function comparison({ shape, detail, width, seen }: Looks & { seen?: Uint8Array }): Compare {
  const [coarse, fine]: [number[], number[]] = [[], []];
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      if ((x + y) % 2 === 0) fine.push(y * width + x);
      if (x % shapeStep === 0 && y % shapeStep === 0) coarse.push(3 * (y * width + x));
    }
  }
  const [shapes, details] = [Int32Array.from(coarse), Int32Array.from(fine)];
  return (one, other, limit) => {
    let sum = 0;
    for (let index = 0; index < shapes.length; index++) {
      const step = shapes[index] as number;
      const [from, to] = [3 * one + step, 3 * other + step];
      const red = (shape[from] as number) - (shape[to] as number);
      const green = (shape[from + 1] as number) - (shape[to + 1] as number);
      const blue = (shape[from + 2] as number) - (shape[to + 2] as number);
      sum += shapeWeight * (red * red + green * green + blue * blue);
    }
    for (let index = 0; index < details.length && sum < limit; index++) {
      const step = details[index] as number;
      if (seen && seen[one + step] === 0) continue;
      const difference = (detail[one + step] as number) - (detail[other + step] as number);
      sum += detailWeight * difference * difference;
    }
    return sum;
  };
}
