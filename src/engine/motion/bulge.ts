import { blurPlane } from '../../models/pixels/blur.js';
import type { Plane } from '../media/media.js';
import type { Body } from './body.js';
import { lookUp } from './relief.js';

/** A body is taken to be as deep as this share of its width at its middle. */
const depthShare = 0.26;

/** Of the width of the body, how far its outline is spread. With this depth it rises by no more than one in two. */
const softness = 0.2;

/** What rises more steeply would hide another part when the body turns. */
const steepest = 0.6;

/** How much of the bulge a model tells, where there is one; and the difference in nearness that is taken for all of it. */
const told = 0.65;
const fullRange = 0.25;

/** Of the width of the body, over which details of what a model tells are spread: its outlines are never quite those of the body. */
const detail = 0.03;

/** The bulge has no detail that would be lost at this length of its longer side. */
const bulgeSide = 256;

/**
 * How far the body bulges toward the viewer at each place, in pixels, so gently that a turn by half a right angle hides none
 * of it behind another part. As one would guess from its outline (little at the border, most where it is widest) or, where
 * a model has told how near (0..1) each place of the whole picture is, rather as that says.
 */
export function bulgeOf(body: Body, nearness: Plane | null = null): Plane {
  const { alpha, box } = body;
  const small = reduced(alpha, Math.min(1, bulgeSide / Math.max(alpha.width, alpha.height)));
  const scale = small.width / alpha.width;
  const width = (box.right - box.left) * scale;
  const guess = ofOutline(small, width);
  const known = nearness && ofModel(small, { body, nearness, spread: detail * width });
  const depth = depthShare * (box.right - box.left);
  const rises = guess.data.map((value, at) => {
    return depth * (known ? (1 - told) * value + told * (known.data[at] as number) : value);
  });
  return known ? gentle({ ...guess, data: rises }, steepest / scale) : { ...guess, data: rises };
}

/** 0..1: the outline, spread far. */
function ofOutline(alpha: Plane, width: number): Plane {
  const soft = blurPlane(alpha, { across: softness * width, down: softness * width });
  const most = soft.data.reduce((largest, value) => Math.max(largest, value), 1e-6);
  return { ...soft, data: soft.data.map((value) => value / most) };
}

interface Told {
  body: Body;
  nearness: Plane;
  spread: number;
}

/** 0..1 from the farthest to the nearest of the body, less where they hardly differ; goes on beyond the outline as it is there. */
function ofModel(alpha: Plane, { body, nearness, spread }: Told): Plane {
  const nearAt = lookUp(nearness);
  const { width, height } = alpha;
  // Near its outline what is told is half of what is behind it.
  const inside = alpha.data.map((value) => Math.max(0, 2 * value - 1) + 1e-4);
  const values = alpha.data.map((_, at) => {
    const [x, y] = body.inPicture(((at % width) + 0.5) / width, (Math.floor(at / width) + 0.5) / height);
    return nearAt(x, y);
  });
  const sides = { across: Math.max(1, spread), down: Math.max(1, spread) };
  const weights = blurPlane({ data: inside, width, height }, sides).data;
  const sums = blurPlane(
    { data: values.map((value, at) => value * (inside[at] as number)), width, height },
    sides,
  ).data;
  const data = sums.map((sum, at) => sum / Math.max(weights[at] as number, 1e-6));
  const [low, high] = rangeOf(data, alpha.data);
  const size = Math.max(high - low, fullRange);
  return { data: data.map((value) => (Math.min(Math.max(value, low), high) - low) / size), width, height };
}

/** Between which values nearly all of the body lies. */
function rangeOf(data: Float32Array, alpha: Float32Array): [low: number, high: number] {
  const sorted = data.filter((_, at) => (alpha[at] as number) > 0.5).sort();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0.5;
  return [at(0.03), at(0.97)];
}

/** What lies below a plane and is nowhere steeper than so much from place to place. */
function gentle({ data, width, height }: Plane, most: number): Plane {
  const result = data.slice();
  const lower = (at: number, others: readonly number[]) => {
    for (const other of others) result[at] = Math.min(result[at] as number, (result[other] as number) + most);
  };
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) lower(at, [...(x > 0 ? [at - 1] : []), ...(y > 0 ? [at - width] : [])]);
  }
  for (let y = height - 1, at = data.length - 1; y >= 0; y--) {
    for (let x = width - 1; x >= 0; x--, at--) {
      lower(at, [...(x < width - 1 ? [at + 1] : []), ...(y < height - 1 ? [at + width] : [])]);
    }
  }
  return { data: result, width, height };
}

/** A plane at a smaller size, each value the mean of those it stands for. */
function reduced({ data, width, height }: Plane, factor: number): Plane {
  const size = { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
  const sums = new Float32Array(size.width * size.height);
  const counts = new Float32Array(sums.length);
  for (let y = 0, at = 0; y < height; y++) {
    const row = Math.min(Math.floor((y * size.height) / height), size.height - 1) * size.width;
    for (let x = 0; x < width; x++, at++) {
      const to = row + Math.min(Math.floor((x * size.width) / width), size.width - 1);
      sums[to] = (sums[to] as number) + (data[at] as number);
      counts[to] = (counts[to] as number) + 1;
    }
  }
  return { data: sums.map((sum, at) => sum / (counts[at] as number)), ...size };
}
