import type { Size } from '../media/media.js';
import { distance, eyeOf, meet, type Path, type Pose, rayOf } from './pose.js';

/** Where the frame lies on the picture while the pose is neutral; lengths in widths of the picture. */
export interface Framing {
  /** Of the middle of the frame. */
  x: number;
  y: number;
  /** Of the frame. */
  width: number;
  /** The place that stays where it is in the frame while the camera comes nearer, in frame widths from its middle. */
  anchor: { x: number; y: number };
}

/** What matters most in a picture, in fractions of its width and height. */
export interface Focus {
  x: number;
  y: number;
}

export interface FramingOptions {
  picture: Size;
  frame: Size;
  focus: Focus;
  /** How far what is nearest or farthest shifts when the camera moves aside: share of its way. Default 0, for a flat picture. */
  shift?: number;
}

/** Moments at which a path is looked at. */
const looks = 48;

/** Nearer to the border of the frame than this, the focus is not held in its place. */
const mostAnchor = 0.35;

/**
 * The widest framing with which a shot never sees past the border of the picture; as near to the focus as that allows.
 */
export function frameShot(path: Path, { picture, frame, focus, shift = 0 }: FramingOptions): Framing {
  const tall = picture.height / picture.width;
  let anchor = { x: 0, y: 0 };
  let framing: Framing = { x: 0.5, y: tall / 2, width: 1, anchor };
  // The anchor depends on the framing and, a little, the framing on it.
  for (let round = 0; round < 3; round++) {
    const { left, right, top, bottom } = seenBy(path, { frame, anchor, shift });
    const width = Math.min(1 / (right - left), tall / (bottom - top));
    framing = {
      x: clamp(focus.x, -left * width, 1 - right * width),
      y: clamp(focus.y * tall, -top * width, tall - bottom * width),
      width,
      anchor,
    };
    const half = (mostAnchor * frame.height) / frame.width;
    anchor = {
      x: clamp((focus.x - framing.x) / width, -mostAnchor, mostAnchor),
      y: clamp((focus.y * tall - framing.y) / width, -half, half),
    };
  }
  return framing;
}

/** A pose that comes nearer to the anchor instead of the middle. */
export function anchored(pose: Pose, { x, y }: Framing['anchor']): Pose {
  const drift = 1 - 1 / pose.zoom;
  return { ...pose, x: pose.x + x * drift, y: pose.y + y * drift };
}

/** What the camera sees of the plane during a shot, in frame widths from the middle of the framing. */
function seenBy(
  path: Path,
  { frame, anchor, shift }: Pick<FramingOptions, 'frame'> & { anchor: Framing['anchor']; shift: number },
) {
  const half = frame.height / frame.width / 2;
  const seen = { left: 0, right: 0, top: 0, bottom: 0 };
  for (let look = 0; look <= looks; look++) {
    const pose = anchored(path(look / looks), anchor);
    const [eye, ray] = [eyeOf(pose), rayOf(pose)];
    for (const [x, y] of [
      [-0.5, -half],
      [0.5, -half],
      [-0.5, half],
      [0.5, half],
    ] as const) {
      const [across, down] = meet(eye, ray(x, y), distance);
      const [aside, above] = [shift * Math.abs(pose.x), shift * Math.abs(pose.y)];
      seen.left = Math.min(seen.left, across - aside);
      seen.right = Math.max(seen.right, across + aside);
      seen.top = Math.min(seen.top, down - above);
      seen.bottom = Math.max(seen.bottom, down + above);
    }
  }
  return seen;
}

function clamp(value: number, low: number, high: number): number {
  return low > high ? (low + high) / 2 : Math.min(Math.max(value, low), high);
}
