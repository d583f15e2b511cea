import type { Mesh } from './mesh.js';
import type { PaddedPlane } from './plane.js';

/** A plane of a frame that is being made. */
export interface Target {
  /** The part of the frame's memory. */
  data: Uint8Array;
  width: number;
  height: number;
  /** Pixels of the frame for one sample, across and down: 1 for luma, 2 for chroma. */
  spacing: 1 | 2;
}

/** A straight line through a plane, in 65536ths of a sample, and the samples of the target that it gives. */
interface Run {
  x: number;
  y: number;
  dx: number;
  dy: number;
  at: number;
  count: number;
}

/** What is done with the samples along a run. */
type Stroke = (run: Run) => void;

/** Places are exact to a 65536th: over 32,768 samples they fit into 31 bits. */
const one = 65_536;

/** Where the first sample of a target lies in the frame: luma in the middle of its pixel, chroma on a column, between two rows. */
const siting = { 1: { x: 0.5, y: 0.5 }, 2: { x: 0.5, y: 1 } } as const;

/** Fills a plane of a frame from a plane of the picture through the mesh, bilinearly. */
export function sample(source: PaddedPlane, mesh: Mesh, target: Target): void {
  sweep(source, mesh, { target, stroke: (run) => (run.dy === 0 ? copyLevelRun : copyRun)(source, run, target.data) });
}

/** As `sample`, mixed with what is there: `share` (0..1) of it is new. */
export function mixIn(source: PaddedPlane, mesh: Mesh, { share, ...target }: Target & { share: number }): void {
  const weight = Math.round(share * 256);
  sweep(source, mesh, { target, stroke: (run) => mixRun(source, run, { into: target.data, weight }) });
}

/** Lays a plane over that of a frame: its samples are multiplied by `alpha` (of the same size) already. Beyond it is nothing. */
export function cover(source: PaddedPlane, alpha: PaddedPlane, { mesh, target }: { mesh: Mesh; target: Target }): void {
  const right = one * (source.stride - 2);
  const bottom = one * (source.height + 2 * source.pad - 2);
  const isBeside = ({ x, y, dx, dy, count }: Run) => {
    const [endX, endY] = [x + dx * count, y + dy * count];
    return (
      (x < one && endX < one) || (x > right && endX > right) || (y < one && endY < one) || (y > bottom && endY > bottom)
    );
  };
  const stroke = (run: Run) => {
    if (!isBeside(run)) coverRun(source, run, { into: target.data, alpha: alpha.data });
  };
  sweep(source, mesh, { target, stroke });
}

/** Walks over the target row by row, in runs from one place of the mesh to the next. */
function sweep(source: PaddedPlane, mesh: Mesh, { target, stroke }: { target: Target; stroke: Stroke }): void {
  const { step, columns, rows } = mesh;
  const { width, height, spacing } = target;
  const nodes = nodesIn(source, mesh);
  const cell = step / spacing;
  const run: Run = { x: 0, y: 0, dx: 0, dy: 0, at: 0, count: 0 };
  for (let y = 0; y < height; y++) {
    const row = Math.min(Math.floor(y / cell), rows - 2);
    const down = (y * spacing + siting[spacing].y - row * step) / step;
    for (let column = 0; column < columns - 1; column++) {
      const first = column * cell;
      run.at = y * width + first;
      run.count = Math.min(cell, width - first);
      aim(run, nodes, { at: 2 * (row * columns + column), below: 2 * columns, down });
      // Half a pixel on: a run begins at a place of the mesh, its first sample in the middle of a pixel.
      run.x += (run.dx / step) * siting[spacing].x;
      run.y += (run.dy / step) * siting[spacing].x;
      run.dx = Math.round(run.dx / cell);
      run.dy = Math.round(run.dy / cell);
      stroke(run);
    }
  }
}

/** Sets a run on the line between two places that lie `down` (0..1) between two rows of the mesh; dx and dy for all of it. */
function aim(run: Run, nodes: Float64Array, { at, below, down }: { at: number; below: number; down: number }): void {
  const up = 1 - down;
  run.x = (nodes[at] as number) * up + (nodes[at + below] as number) * down;
  run.y = (nodes[at + 1] as number) * up + (nodes[at + below + 1] as number) * down;
  run.dx = (nodes[at + 2] as number) * up + (nodes[at + below + 2] as number) * down - run.x;
  run.dy = (nodes[at + 3] as number) * up + (nodes[at + below + 3] as number) * down - run.y;
}

/** The places of a mesh in 65536ths of a sample of the plane, kept inside of what can be read. */
function nodesIn({ width, height, pad, stride }: PaddedPlane, { places }: Mesh): Float64Array {
  const nodes = new Float64Array(places.length);
  const [right, bottom] = [stride - 1.01, height + 2 * pad - 1.01];
  for (let at = 0; at < places.length; at += 2) {
    const x = (places[at] as number) * width + pad - 0.5;
    const y = (places[at + 1] as number) * height + pad - 0.5;
    nodes[at] = one * Math.min(Math.max(x, 0), right);
    nodes[at + 1] = one * Math.min(Math.max(y, 0), bottom);
  }
  return nodes;
}

function copyRun({ data, stride }: PaddedPlane, run: Run, into: Uint8Array): void {
  const { dx, dy, at, count } = run;
  let x = Math.round(run.x) | 0;
  let y = Math.round(run.y) | 0;
  for (let to = at; to < at + count; to++, x += dx, y += dy) {
    const from = (y >> 16) * stride + (x >> 16);
    const right = (x >> 8) & 255;
    const a = data[from] as number;
    const c = data[from + stride] as number;
    const upper = (a << 8) + ((data[from + 1] as number) - a) * right;
    const lower = (c << 8) + ((data[from + stride + 1] as number) - c) * right;
    into[to] = ((upper << 8) + (lower - upper) * ((y >> 8) & 255) + 32_768) >> 16;
  }
}

/** As `copyRun` for a camera that is not tilted, which is the usual one: a run stays between two rows. */
function copyLevelRun({ data, stride }: PaddedPlane, run: Run, into: Uint8Array): void {
  const { dx, at, count } = run;
  let x = Math.round(run.x) | 0;
  const y = Math.round(run.y) | 0;
  const upper = (y >> 16) * stride;
  const lower = upper + stride;
  const down = (y >> 8) & 255;
  for (let to = at; to < at + count; to++, x += dx) {
    const left = x >> 16;
    const right = (x >> 8) & 255;
    const a = data[upper + left] as number;
    const b = data[upper + left + 1] as number;
    const first = (a << 8) + ((data[lower + left] as number) - a) * down;
    const second = (b << 8) + ((data[lower + left + 1] as number) - b) * down;
    into[to] = ((first << 8) + (second - first) * right + 32_768) >> 16;
  }
}

function mixRun({ data, stride }: PaddedPlane, run: Run, { into, weight }: { into: Uint8Array; weight: number }): void {
  const { dx, dy, at, count } = run;
  let x = Math.round(run.x) | 0;
  let y = Math.round(run.y) | 0;
  for (let to = at; to < at + count; to++, x += dx, y += dy) {
    const from = (y >> 16) * stride + (x >> 16);
    const right = (x >> 8) & 255;
    const a = data[from] as number;
    const c = data[from + stride] as number;
    const upper = (a << 8) + ((data[from + 1] as number) - a) * right;
    const lower = (c << 8) + ((data[from + stride + 1] as number) - c) * right;
    const value = ((upper << 8) + (lower - upper) * ((y >> 8) & 255)) >> 8;
    const before = into[to] as number;
    into[to] = ((before << 16) + (value - (before << 8)) * weight + 32_768) >> 16;
  }
}

function coverRun(
  { data, stride }: PaddedPlane,
  run: Run,
  { into, alpha }: { into: Uint8Array; alpha: Uint8Array },
): void {
  const { dx, dy, at, count } = run;
  let x = Math.round(run.x) | 0;
  let y = Math.round(run.y) | 0;
  for (let to = at; to < at + count; to++, x += dx, y += dy) {
    const from = (y >> 16) * stride + (x >> 16);
    const right = (x >> 8) & 255;
    const down = (y >> 8) & 255;
    const left = 256 - right;
    const [upper, lower] = [from, from + stride];
    const kept =
      ((alpha[upper] as number) * left + (alpha[upper + 1] as number) * right) * (256 - down) +
      ((alpha[lower] as number) * left + (alpha[lower + 1] as number) * right) * down;
    if (kept === 0) continue;
    const value =
      ((data[upper] as number) * left + (data[upper + 1] as number) * right) * (256 - down) +
      ((data[lower] as number) * left + (data[lower + 1] as number) * right) * down;
    into[to] = (value + (into[to] as number) * (65_536 - kept / 255) + 32_768) >> 16;
  }
}
