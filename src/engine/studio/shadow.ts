import { position, mix } from '../../models/pixels/bilinear.js';
import { blurPlane } from '../../models/pixels/blur.js';
import type { Plane, Size } from '../media/media.js';
import type { Layout } from './layout.js';

export interface Shadow {
  /** `drop` falls behind the subject, `contact` lies where it stands, `soft` is some of both. */
  kind: 'drop' | 'contact' | 'soft';
  /** Of the darkest place, 0..1. */
  opacity: number;
  /** How far its edges are spread: share of the subject's longest side. */
  blur: number;
  /** Where the light comes from decides where it falls: degrees as on a clock, 180 is straight down. */
  angle: number;
  /** How far it falls: share of the subject's longest side. */
  distance: number;
}

/** A shadow has no detail that would be lost at this length of the longest side. */
const gridSide = 512;

/**
 * How dark a shadow makes each pixel of rows of a canvas, 0..1. `alpha` (0..1, of any size) is that of the whole picture of
 * which a part was laid on the canvas; the shadow is cast on a grid of at most 512 pixels a side.
 */
export function castShadow(alpha: Plane, layout: Layout & { source: Size }, shadow: Shadow) {
  const plane = darkness(onGrid(alpha, layout), shadow);
  return (top: number, height: number): Float32Array => enlargedRows(plane, layout.canvas, { top, height });
}

/** How far a shadow reaches beyond its subject: top, right, bottom, left as shares of the subject's longest side. */
export function shadowReach({ kind, blur, angle, distance }: Shadow): [number, number, number, number] {
  const spread = 2 * blur;
  if (kind === 'contact') return [0, spread, contactHeight * 3 + spread / 2, spread];
  const [right, down] = direction(angle, distance);
  const [x, y] = kind === 'soft' ? [right / 2, down / 2] : [right, down];
  return [Math.max(0, spread - y), Math.max(0, spread + x), Math.max(0, spread + y), Math.max(0, spread - x)];
}

/** The alpha of the subject where it stands on a small copy of the canvas. */
function onGrid(alpha: Plane, { canvas, from, to, source }: Layout & { source: Size }): Plane {
  const factor = Math.min(1, gridSide / Math.max(canvas.width, canvas.height));
  const width = Math.max(1, Math.round(canvas.width * factor));
  const height = Math.max(1, Math.round(canvas.height * factor));
  const data = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const down = ((y + 0.5) * canvas.height) / height - to.top;
    if (down < 0 || down >= to.height) continue;
    const row = position(from.top + (down * from.height) / to.height - 0.5, source.height, alpha.height);
    for (let x = 0; x < width; x++) {
      const across = ((x + 0.5) * canvas.width) / width - to.left;
      if (across < 0 || across >= to.width) continue;
      const column = position(from.left + (across * from.width) / to.width - 0.5, source.width, alpha.width);
      data[y * width + x] = sample(alpha, row, column);
    }
  }
  return { data, width, height };
}

function sample({ data, width }: Plane, row: ReturnType<typeof position>, column: ReturnType<typeof position>): number {
  const at = (y: number, x: number) => data[y * width + x] as number;
  const upper = mix(at(row.before, column.before), at(row.before, column.after), column.share);
  const lower = mix(at(row.after, column.before), at(row.after, column.after), column.share);
  return mix(upper, lower, row.share);
}

function darkness(subject: Plane, shadow: Shadow): Plane {
  const extent = extentOf(subject);
  if (extent === null) return subject;
  if (shadow.kind === 'drop') return peakAt(dropped(subject, extent, shadow), shadow.opacity);
  if (shadow.kind === 'contact') return peakAt(contact(subject, extent, shadow), shadow.opacity);
  const near = { ...shadow, distance: shadow.distance / 2 };
  const ambient = peakAt(dropped(subject, extent, near), shadow.opacity * 0.45);
  const ground = peakAt(contact(subject, extent, shadow), shadow.opacity);
  // What both leave of the light.
  return { ...subject, data: ground.data.map((value, at) => 1 - (1 - value) * (1 - (ambient.data[at] as number))) };
}

interface Extent {
  /** The lowest row that is more than half the subject's. */
  ground: number;
  /** Longest side in pixels. */
  size: number;
}

function extentOf({ data, width, height }: Plane): Extent | null {
  let [left, right, top, ground] = [width, -1, height, -1];
  for (let at = 0; at < data.length; at++) {
    if ((data[at] as number) <= 0.5) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    ground = y;
  }
  return ground < 0 ? null : { ground, size: Math.max(right - left, ground - top) + 1 };
}

/** The shape of the subject, moved away from the light and blurred. */
function dropped(subject: Plane, { size }: Extent, { angle, distance, blur }: Shadow): Plane {
  const [right, down] = direction(angle, distance * size).map(Math.round) as [number, number];
  const { width, height } = subject;
  const data = new Float32Array(width * height);
  for (let y = Math.max(0, down); y < Math.min(height, height + down); y++) {
    for (let x = Math.max(0, right); x < Math.min(width, width + right); x++) {
      data[y * width + x] = subject.data[(y - down) * width + x - right] as number;
    }
  }
  return blurPlane({ data, width, height }, { across: blur * size, down: blur * size });
}

/**
 * How thick the line is on which a subject stands, how fast its shadow fades with height, how far to the sides the ground
 * is looked for, and how much lower than a foot another may be: shares of the subject's size.
 */
const [contactHeight, lift, stance, unevenness] = [0.012, 0.05, 0.06, 0.2];

/**
 * A thin, flat pool under whatever is near the ground; the nearer, the darker. The ground is what the subject reaches at
 * most nearby, so that of two shoes seen from above each stands on its own.
 */
function contact(subject: Plane, { ground, size }: Extent, { blur }: Shadow): Plane {
  const { width, height } = subject;
  const data = new Float32Array(width * height);
  const bottoms = bottomsOf(subject);
  const thickness = Math.max(1, contactHeight * size);
  for (let x = 0; x < width; x++) {
    const bottom = bottoms[x] as number;
    if (bottom < 0) continue;
    const nearby = bottoms.slice(Math.max(0, Math.round(x - stance * size)), Math.round(x + stance * size) + 1);
    const floor = nearby.reduce((lowest, row) => Math.max(lowest, row), bottom);
    const weight = Math.exp((bottom - floor) / (lift * size) + (floor - ground) / (unevenness * size));
    for (let y = Math.max(0, Math.round(floor - thickness)); y <= Math.min(height - 1, floor + thickness); y++) {
      data[y * width + x] = weight;
    }
  }
  const spread = { across: blur * size * 0.6, down: Math.max(0.6, blur * size * 0.25) };
  return blurPlane({ data, width, height }, spread);
}

/** Per column, the lowest row that is more than half the subject's; -1 where there is none. */
function bottomsOf({ data, width, height }: Plane): Int32Array {
  const bottoms = new Int32Array(width).fill(-1);
  for (let at = 0; at < width * height; at++) {
    if ((data[at] as number) > 0.5) bottoms[at % width] = Math.floor(at / width);
  }
  return bottoms;
}

function direction(angle: number, distance: number): [right: number, down: number] {
  const radians = (angle * Math.PI) / 180;
  return [Math.sin(radians) * distance, -Math.cos(radians) * distance];
}

function peakAt(plane: Plane, opacity: number): Plane {
  const peak = plane.data.reduce((most, value) => Math.max(most, value), 0);
  const factor = peak > 0 ? opacity / peak : 0;
  return { ...plane, data: plane.data.map((value) => value * factor) };
}

function enlargedRows(plane: Plane, canvas: Size, { top, height }: { top: number; height: number }): Float32Array {
  const rows = new Float32Array(canvas.width * height);
  const columns = Array.from({ length: canvas.width }, (_, x) => position(x, canvas.width, plane.width));
  for (let y = 0, at = 0; y < height; y++) {
    const row = position(top + y, canvas.height, plane.height);
    for (const column of columns) rows[at++] = sample(plane, row, column);
  }
  return rows;
}
