import type { Plane } from '../media/media.js';
import { type Bend, type Bends, fadeAt } from './bend.js';
import { type Contour, type Girth, girthOf, girthRows, outlineOf, surfaceAt } from './girth.js';
import { lookUp } from './relief.js';

/** A view at a small size: what is opaque of it (0..1), and how bright it is (0..255). */
export interface Look {
  alpha: Plane;
  grey: Plane;
}

/** Something that turns, as its outlines tell. */
export interface Turning {
  girth: Girth;
  views: number;
  direction: 1 | -1;
  /** How much lower in the picture what is nearer appears: the camera looks down on it. Heights of the picture for a width of it. */
  pitch: number;
  /** How much larger it looks for each width that it is nearer. */
  perspective: number;
}

/** Places of the surface from one outline to the other. */
const places = 32;

/** How far beside an outline, in widths of the picture, what is behind is moved with it. */
const margin = 0.12;

/** What is tried: pitches as sines, and perspectives, from none to that of a camera one width of the picture away. */
const pitches = [-0.1, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
const perspectives = [0, 0.35, 0.7, 1];

/** What looks away more than this is not compared. */
const leastFacing = 0.35;
/** Views that differ more at a place than this do so for other reasons than its motion. */
const mostDifference = 60;

/** The way of turning with which neighbouring views look most alike on the surface that their outlines tell of. */
export function turningOf(looks: readonly Look[]): Turning {
  const outlines = looks.map(({ alpha }) => outlineOf(alpha));
  const { width, height } = looks[0]?.alpha ?? { width: 1, height: 1 };
  const greys = looks.map(({ grey }) => lookUp(grey));
  const tried = ([1, -1] as const).flatMap((direction) => {
    const girth = girthOf(outlines, direction);
    const common = { girth, views: looks.length, direction };
    return pitches.flatMap((sine) =>
      perspectives.map((perspective): Turning => ({ ...common, perspective, pitch: (sine * width) / height })),
    );
  });
  const costs = tried.map((turning) => difference(turning, greys));
  return tried[costs.indexOf(Math.min(...costs))] as Turning;
}

/** How the views before and after are to be bent for what is seen `share` (0..1) of the way from view `index` to the next one. */
export function girthBends(turning: Turning, { index, share }: { index: number; share: number }): Bends {
  const tables = turning.girth.rows.map((contour) => contour && tableOf(contour, turning, { index, share }));
  const nearest = nearestOf(tables);
  const fade = fadeAt(share);
  return {
    one: bendOf('one', { tables, nearest, turning, fade }),
    next: bendOf('next', { tables, nearest, turning, fade }),
  };
}

/** How much neighbouring views differ on the surface, on average. */
function difference(turning: Turning, greys: readonly ReturnType<typeof lookUp>[]): number {
  const { girth, views, perspective } = turning;
  let [sum, count] = [0, 0];
  for (const [view, here] of greys.entries()) {
    const there = greys[(view + 1) % views] as typeof here;
    const [first, second] = [view, view + 1].map((each) => ({ turn: turnAt(each, turning), perspective }));
    if (!first || !second) continue;
    for (let row = 1; row < girthRows; row += 3) {
      const contour = girth.rows[row];
      if (!contour) continue;
      const y = (row + 0.5) / girthRows;
      for (let place = 3; place < places - 2; place++) {
        const outward = first.turn + (Math.PI * place) / places;
        const [now, then] = [surfaceAt(contour, outward, first), surfaceAt(contour, outward, second)];
        if (then.facing < leastFacing) continue;
        const lower = y + sinkAt(y, turning) * (then.near - now.near);
        const change = Math.abs(here(girth.axis + now.x, y) - there(girth.axis + then.x, lower));
        sum += Math.min(change, mostDifference);
        count++;
      }
    }
  }
  return count > 0 ? sum / count : mostDifference;
}

/** How much lower in the picture (in heights) a place appears for each width that it is nearer. */
function sinkAt(y: number, { pitch, perspective }: Turning): number {
  return pitch + (y - 0.5) * perspective;
}

function turnAt(view: number, { views, direction }: Pick<Turning, 'views' | 'direction'>): number {
  return (direction * 2 * Math.PI * view) / views;
}

/** Along one row of what is seen, from its left outline to its right one. */
interface Table {
  x: Float32Array;
  one: Seen;
  next: Seen;
}

/** The same places in a view: from the axis, how much nearer than in what is seen, and facing. */
interface Seen {
  x: Float32Array;
  near: Float32Array;
  facing: Float32Array;
  left: number;
  right: number;
}

function tableOf(contour: Contour, turning: Turning, { index, share }: { index: number; share: number }): Table {
  const { perspective } = turning;
  const turn = turnAt(index + share, turning);
  const outwards = Array.from({ length: places + 1 }, (_, place) => turn + Math.PI * (1 - place / places));
  const own = outwards.map((outward) => surfaceAt(contour, outward, { turn, perspective }));
  const seenFrom = (viewTurn: number): Seen => {
    const camera = { turn: viewTurn, perspective };
    const surfaces = outwards.map((outward) => surfaceAt(contour, outward, camera));
    return {
      x: Float32Array.from(surfaces, ({ x }) => x),
      near: Float32Array.from(surfaces, ({ near }, place) => near - (own[place]?.near ?? 0)),
      facing: Float32Array.from(surfaces, ({ facing }) => facing),
      left: surfaceAt(contour, viewTurn + Math.PI, camera).x,
      right: surfaceAt(contour, viewTurn, camera).x,
    };
  };
  const x = Float32Array.from(own, (surface) => surface.x);
  // Where outlines are not quite those of something convex, places would lie one before the other.
  for (let place = 1; place <= places; place++)
    x[place] = Math.max(x[place] as number, (x[place - 1] as number) + 1e-6);
  return { x, one: seenFrom(turnAt(index, turning)), next: seenFrom(turnAt(index + 1, turning)) };
}

/** For each row the nearest one where something of the thing is. */
function nearestOf(tables: readonly (Table | null)[]): number[] {
  const known = tables.flatMap((table, row) => (table ? [row] : []));
  return tables.map((_, row) =>
    known.reduce((best, each) => (Math.abs(each - row) < Math.abs(best - row) ? each : best), known[0] ?? -1),
  );
}

interface Bending {
  tables: readonly (Table | null)[];
  nearest: readonly number[];
  turning: Turning;
  fade: number;
}

function bendOf(view: 'one' | 'next', { tables, nearest, turning, fade }: Bending): Bend {
  const { girth } = turning;
  const inRow = (row: number, x: number): readonly [across: number, near: number, share: number] => {
    const known = nearest[row] ?? -1;
    const table = tables[known];
    if (!table) return [0, 0, fade];
    const away = (margin * girthRows - Math.abs(known - row)) / (margin * girthRows);
    const [across, near, share] = along(table, { view, x: x - girth.axis, fade });
    return [across * Math.max(0, away), near * Math.max(0, away), share];
  };
  return (x, y) => {
    const at = Math.min(Math.max(y * girthRows - 0.5, 0), girthRows - 1);
    const row = Math.min(Math.floor(at), girthRows - 2);
    const [upper, lower] = [inRow(row, x), inRow(row + 1, x)];
    const mix = (which: 0 | 1 | 2) => upper[which] + (lower[which] - upper[which]) * (at - row);
    return [mix(0), mix(1) * sinkAt(y, turning), mix(2)];
  };
}

/** What a place of a row has moved by. */
function along(
  { x: xs, one, next }: Table,
  { view, x, fade }: { view: 'one' | 'next'; x: number; fade: number },
): readonly [across: number, near: number, share: number] {
  const seen = view === 'one' ? one : next;
  const [left, right] = [xs[0] as number, xs[places] as number];
  // Beside the thing is what is behind it, which gives way to its outline.
  if (x <= left) return [(seen.left - left) * Math.max(0, 1 - (left - x) / margin), 0, fade];
  if (x >= right) return [(seen.right - right) * Math.max(0, 1 - (x - right) / margin), 0, fade];
  let [low, high] = [0, places];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((xs[middle] as number) <= x) low = middle;
    else high = middle;
  }
  const part = (x - (xs[low] as number)) / ((xs[high] as number) - (xs[low] as number));
  const between = (values: Float32Array) =>
    (values[low] as number) + ((values[high] as number) - (values[low] as number)) * part;
  return [between(seen.x) - x, between(seen.near), shareOf(between(one.facing), between(next.facing), fade)];
}

/** Of two views the one counts more that looks at a place more straight on. */
function shareOf(one: number, next: number, fade: number): number {
  const before = (1 - fade) * Math.max(one, 0) ** 2;
  const after = fade * Math.max(next, 0) ** 2;
  return before + after > 1e-6 ? after / (before + after) : fade;
}
