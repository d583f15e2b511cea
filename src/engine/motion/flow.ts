import type { Plane, Size } from '../media/media.js';
import { resizePlane } from '../../models/pixels/bilinear.js';
import { lookUp } from './relief.js';
import { median } from './turning.js';

/** Where each pixel of one picture is found in another: how far across and down, in widths and heights of the picture. */
export interface Flow {
  across: Plane;
  down: Plane;
}

/** How much smoother than the pictures say motion is taken to be; samples are 0..255. */
const stiffness = 30 ** 2;

/** Samples that differ more than this are less and less believed. */
const doubtful = 12;

/** Estimates at each size, each from where the one before found things, and rounds for one of them. */
const estimates = 3;
const rounds = 30;

/** Pictures are halved until their shorter side would be less. */
const smallest = 12;

/**
 * The motion from one picture to another of the same size (grey, 0..255), by the method of Horn and Schunck (1981) on
 * pictures of growing size (Brox et al., ECCV 2004): things that hardly look different are found many pixels away. With a
 * guess the motion is taken to be smooth apart from it.
 */
export function flowBetween(from: Plane, to: Plane, guess?: Flow): Flow {
  // A guess is right but for details: from the coarsest sizes it would only be led astray.
  const sizes = sizesOf(from, guess ? 2 : Number.POSITIVE_INFINITY);
  let rest = still(sizes.at(-1) as Size);
  for (const size of sizes.toReversed()) {
    const pair = {
      from: resizePlane(from, size),
      to: resizePlane(to, size),
      guess: guess ? resized(guess, size) : still(size),
    };
    rest = resized(rest, size);
    for (let estimate = 0; estimate < estimates; estimate++) rest = medians(estimated(pair, rest));
  }
  return guess ? added(guess, rest) : rest;
}

/** How much two pictures differ after the flow has been undone: the mean difference of their samples. */
export function mismatch(from: Plane, to: Plane, flow: Flow): number {
  const back = moved(to, flow);
  return back.data.reduce((sum, value, at) => sum + Math.abs(value - (from.data[at] as number)), 0) / back.data.length;
}

function sizesOf({ width, height }: Size, most: number): Size[] {
  const sizes: Size[] = [{ width, height }];
  for (
    let last = sizes[0] as Size;
    sizes.length < most && Math.min(last.width, last.height) >= 2 * smallest;
    last = sizes.at(-1) as Size
  ) {
    sizes.push({ width: Math.round(last.width / 2), height: Math.round(last.height / 2) });
  }
  return sizes;
}

/** No motion at all. */
function still({ width, height }: Size): Flow {
  const plane = () => ({ width, height, data: new Float32Array(width * height) });
  return { across: plane(), down: plane() };
}

function resized({ across, down }: Flow, size: Size): Flow {
  return { across: resizePlane(across, size), down: resizePlane(down, size) };
}

function added(one: Flow, other: Flow): Flow {
  const sum = (a: Plane, b: Plane) => ({ ...a, data: a.data.map((value, at) => value + (b.data[at] as number)) });
  return { across: sum(one.across, other.across), down: sum(one.down, other.down) };
}

interface Pair {
  from: Plane;
  to: Plane;
  guess: Flow;
}

/** What is to be added to the guess, from what was nearly right: the difference that is left, spread by what the neighbours do. */
function estimated({ from, to, guess }: Pair, rest: Flow): Flow {
  const { width, height } = from;
  const { slopeX, slopeY, change } = differences(from, moved(to, added(guess, rest)));
  const inPixels = ({ data }: Plane, length: number) => data.map((value) => value * length);
  const [u0, v0] = [inPixels(rest.across, width), inPixels(rest.down, height)];
  const [u, v] = [u0.slice(), v0.slice()];
  for (let round = 0; round < rounds; round++) {
    for (let y = 0, at = 0; y < height; y++) {
      const [up, below] = [y > 0 ? -width : 0, y < height - 1 ? width : 0];
      for (let x = 0; x < width; x++, at++) {
        const [left, right] = [x > 0 ? -1 : 0, x < width - 1 ? 1 : 0];
        const meanU = mean4(u, at, [left, right, up, below]);
        const meanV = mean4(v, at, [left, right, up, below]);
        const [gx, gy, gt] = [slopeX[at] as number, slopeY[at] as number, change[at] as number];
        const missing = gx * (meanU - (u0[at] as number)) + gy * (meanV - (v0[at] as number)) + gt;
        // What differs much has no counterpart: it is hidden in one of the pictures.
        const trust = 1 / Math.sqrt(1 + (gt / doubtful) ** 2);
        const step = (trust * missing) / (stiffness + trust * (gx * gx + gy * gy));
        u[at] = meanU - gx * step;
        v[at] = meanV - gy * step;
      }
    }
  }
  const inWidths = (data: Float32Array, length: number) => ({
    width,
    height,
    data: data.map((value) => value / length),
  });
  return { across: inWidths(u, width), down: inWidths(v, height) };
}

function mean4(data: Float32Array, at: number, [a, b, c, d]: [number, number, number, number]): number {
  return (
    ((data[at + a] as number) + (data[at + b] as number) + (data[at + c] as number) + (data[at + d] as number)) / 4
  );
}

/** A picture as it would look if the flow had been undone. */
function moved(picture: Plane, { across, down }: Flow): Plane {
  const { width, height } = picture;
  const valueAt = lookUp(picture);
  const data = new Float32Array(width * height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      data[at] = valueAt(
        (x + 0.5) / width + (across.data[at] as number),
        (y + 0.5) / height + (down.data[at] as number),
      );
    }
  }
  return { data, width, height };
}

/** Slopes of what two pictures have in common, and how they differ. */
function differences(from: Plane, to: Plane) {
  const { width, height } = from;
  const [slopeX, slopeY, change] = [
    new Float32Array(width * height),
    new Float32Array(width * height),
    new Float32Array(width * height),
  ];
  for (let y = 0, at = 0; y < height; y++) {
    const [up, below] = [y > 0 ? -width : 0, y < height - 1 ? width : 0];
    for (let x = 0; x < width; x++, at++) {
      const [left, right] = [x > 0 ? -1 : 0, x < width - 1 ? 1 : 0];
      const both = (place: number) => ((from.data[place] as number) + (to.data[place] as number)) / 2;
      slopeX[at] = (both(at + right) - both(at + left)) / 2;
      slopeY[at] = (both(at + below) - both(at + up)) / 2;
      change[at] = (to.data[at] as number) - (from.data[at] as number);
    }
  }
  return { slopeX, slopeY, change };
}

function medians({ across, down }: Flow): Flow {
  return { across: median(across), down: median(down) };
}
