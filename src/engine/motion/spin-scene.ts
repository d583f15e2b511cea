import type { Pixels, Plane, Size } from '../media/media.js';
import type { Scene } from './film.js';
import { type Bend, type Bends, fadeAt } from './bend.js';
import { flowBends, motionBetween } from './flow-bends.js';
import { girthBends, type Turning } from './girth-bends.js';
import { Canvas } from './canvas.js';
import { anchored, frameShot } from './framing.js';
import { drawLevel, type Level, levelOf } from './levels.js';
import { createMesh, fillMesh, type PlaceOf } from './mesh.js';
import { pictureView } from './picture-scene.js';
import type { Path } from './pose.js';
import { type Direction, directionOf } from './turning.js';

export interface SpinSceneOptions {
  /** How many views there are, all around. */
  views: number;
  /** Of a view. */
  picture: Size;
  frame: Size;
  path: Path;
  /** What the outlines of the views tell of the motion between them; null: it is looked for in the views. */
  turning: Turning | null;
  /** Which part of a whole turn is done at a moment of the shot. */
  turn(time: number): number;
  /** A view at this size, opaque. */
  decode(view: number, size: Size): Promise<Pixels>;
}

/** Pixels between two places of the mesh. */
const step = 8;

/** Longer side of the pictures on which motion is looked for. */
const flowSide = 128;

/** Views that are held: the two that are seen, and the one that comes next. */
const heldViews = 3;

/** How wide what turns may be, from its axis, in widths of the picture; and how far from view to view it can be followed. */
const radius = 0.35;
const mostReach = 0.25;

interface View {
  level: Level;
  small: Plane;
}

/** Pictures of something taken from all around, shown as one smooth turn: in between, each is bent toward its neighbour. */
export function openSpinScene(options: SpinSceneOptions): Scene {
  const { views, picture, frame, path, turning, turn } = options;
  const framing = frameShot(path, { picture, frame, focus: { x: 0.5, y: 0.5 } });
  const width = Math.round((frame.width / framing.width) * path(0.5).zoom);
  const canvas = new Canvas(frame);
  const viewAt = remembering(heldViews, {
    make: (index) => openView(options, index, { width, canvas }),
    drop: ({ level: { luma, cb, cr } }) => canvas.release(luma, cb, cr),
  });
  const bendsAt = turning
    ? async (index: number, share: number) => girthBends(turning, { index, share })
    : followed(viewAt, views);
  const mesh = createMesh(frame, step);
  return {
    async draw(time) {
      const at = ((((turn(time) % 1) + 1) % 1) * views) % views;
      const index = Math.floor(at);
      const [one, next] = [await viewAt(index), await viewAt((index + 1) % views)];
      const seen = pictureView(anchored(path(time), framing.anchor), { picture, frame, framing, relief: null });
      const bent = await bendsAt(index, at - index);
      fillMesh(mesh, through(seen, bent.one));
      drawLevel(one.level, canvas, { mesh });
      if (fadeAt(at - index) === 0) return canvas.frame;
      fillMesh(mesh, through(seen, bent.next));
      drawLevel(next.level, canvas, { mesh, share: 1 });
      return canvas.frame;
    },
  };
}

/** Bends by the motion that is found between neighbouring views. */
function followed(
  viewAt: (index: number) => Promise<View>,
  views: number,
): (index: number, share: number) => Promise<Bends> {
  let known: Direction | null = null;
  const reach = Math.min(mostReach, (radius * 2 * Math.PI) / views);
  const motionAt = remembering(2, {
    async make(index) {
      const [{ small: one }, { small: other }] = [await viewAt(index), await viewAt((index + 1) % views)];
      known ??= directionOf(one, other, reach);
      return motionBetween(one, other, { direction: known, reach });
    },
  });
  return async (index, share) => flowBends(await motionAt(index), share);
}

async function openView(
  { picture, decode }: SpinSceneOptions,
  index: number,
  { width, canvas }: { width: number; canvas: Canvas },
): Promise<View> {
  const sized = (across: number) => ({
    width: Math.max(1, Math.round(across)),
    height: Math.max(1, Math.round((across * picture.height) / picture.width)),
  });
  const small = sized(flowSide * Math.min(1, picture.width / picture.height));
  return { level: levelOf(await decode(index, sized(width)), canvas), small: grey(await decode(index, small)) };
}

/** How bright each pixel is, 0..255. */
export function grey({ data, width, height, channels }: Pixels): Plane {
  const values = Float32Array.from({ length: width * height }, (_, pixel) => {
    const at = pixel * channels;
    return 0.3 * (data[at] as number) + 0.59 * (data[at + 1] as number) + 0.11 * (data[at + 2] as number);
  });
  return { data: values, width, height };
}

function through(seen: PlaceOf, bend: Bend): PlaceOf {
  return (x, y, place) => {
    seen(x, y, place);
    const [across, down, share] = bend(place[0], place[1]);
    place[0] += across;
    place[1] += down;
    place[2] = share;
  };
}

/** What `make` gives for an index, the last `count` of which are kept and the others dropped. */
function remembering<Value>(
  count: number,
  { make, drop }: { make(index: number): Promise<Value>; drop?(value: Value): void },
): (index: number) => Promise<Value> {
  const kept = new Map<number, Value>();
  return async (index) => {
    const value = kept.get(index) ?? (await make(index));
    kept.delete(index);
    kept.set(index, value);
    for (const [old, forgotten] of [...kept].slice(0, -count)) {
      kept.delete(old);
      drop?.(forgotten);
    }
    return value;
  };
}
