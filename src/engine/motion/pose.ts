import { type CameraMove, cameraAxes } from '../routing/order.js';

/**
 * Where the camera stands and looks. The picture is a plane in front of it that the frame just covers when all of these
 * are neutral; lengths are in widths of that frame, x to the right and y down, angles in radians.
 */
export interface Pose {
  x: number;
  y: number;
  /** How many times nearer the plane is than at the beginning. */
  zoom: number;
  /** To the right. */
  yaw: number;
  /** Upward. */
  pitch: number;
  /** Clockwise. */
  roll: number;
}

/** A pose for every moment 0..1 of a shot. */
export type Path = (time: number) => Pose;

/** A camera that does nothing. */
export const neutral: Pose = { x: 0, y: 0, zoom: 1, yaw: 0, pitch: 0, roll: 0 };

/** Of a frame's width, about that of a 50 mm lens. */
const fieldOfView = (40 * Math.PI) / 180;

/** From the camera to the plane, in frame widths, when the pose is neutral. */
export const distance: number = 0.5 / Math.tan(fieldOfView / 2);

/** What an axis does at its greatest value, 10. */
const reach = {
  pan: (14 * Math.PI) / 180,
  tilt: (10 * Math.PI) / 180,
  zoom: 2,
  truck: 0.4,
  pedestal: 0.3,
  roll: (20 * Math.PI) / 180,
} satisfies Record<(typeof cameraAxes)[number], number>;

/**
 * The two ends of a move along the axes, -10..10 each. A zoom begins or ends with the whole picture; the other axes go
 * the same way on both sides of the middle, so that what matters stays in the frame.
 */
export function endsOf(move: CameraMove): { from: Pose; to: Pose } {
  const half = Object.fromEntries(cameraAxes.map((axis) => [axis, ((move[axis] ?? 0) / 10) * (reach[axis] / 2)]));
  const { pan = 0, tilt = 0, truck = 0, pedestal = 0, roll = 0 } = half;
  const nearer = reach.zoom ** (Math.abs(move.zoom ?? 0) / 10);
  const isOut = (move.zoom ?? 0) < 0;
  return {
    from: { x: -truck, y: pedestal, zoom: isOut ? nearer : 1, yaw: -pan, pitch: -tilt, roll: -roll },
    to: { x: truck, y: -pedestal, zoom: isOut ? 1 : nearer, yaw: pan, pitch: tilt, roll },
  };
}

/** The pose between two; zooming is even to the eye, which compares sizes by their ratio. */
export function between(from: Pose, to: Pose, share: number): Pose {
  const mix = (a: number, b: number) => a + (b - a) * share;
  return {
    x: mix(from.x, to.x),
    y: mix(from.y, to.y),
    zoom: from.zoom * (to.zoom / from.zoom) ** share,
    yaw: mix(from.yaw, to.yaw),
    pitch: mix(from.pitch, to.pitch),
    roll: mix(from.roll, to.roll),
  };
}

/** A point in space, in frame widths; z away from the camera, 0 where the neutral camera is. */
export type Point = readonly [x: number, y: number, z: number];

/** Where the camera of this pose is. */
export function eyeOf({ x, y, zoom }: Pose): Point {
  return [x, y, distance - distance / zoom];
}

/** The direction in which a camera of this pose sees a place of its frame (in frame widths from its middle). */
export function rayOf({ yaw, pitch, roll }: Pose): (x: number, y: number) => Point {
  const [cr, sr] = [Math.cos(roll), Math.sin(roll)];
  const [cp, sp] = [Math.cos(pitch), Math.sin(pitch)];
  const [cy, sy] = [Math.cos(yaw), Math.sin(yaw)];
  return (x, y) => {
    const across = x * cr - y * sr;
    const down = x * sr + y * cr;
    const low = down * cp - distance * sp;
    const ahead = down * sp + distance * cp;
    return [across * cy + ahead * sy, low, ahead * cy - across * sy];
  };
}

/** Where a ray from a point meets the plane `depth` away from the neutral camera. */
export function meet([x, y, z]: Point, [dx, dy, dz]: Point, depth: number): [x: number, y: number] {
  const length = (depth - z) / dz;
  return [x + dx * length, y + dy * length];
}
