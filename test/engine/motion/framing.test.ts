import { describe, expect, test } from 'vitest';
import { thereAndBack } from '#src/engine/motion/easing.js';
import { anchored, frameShot } from '#src/engine/motion/framing.js';
import { between, distance, endsOf, eyeOf, meet, neutral, type Path, rayOf } from '#src/engine/motion/pose.js';
import type { CameraMove } from '#src/engine/routing/order.js';

function pathOf(move: CameraMove): Path {
  const { from, to } = endsOf(move);
  return (time) => between(from, to, time);
}

const sizes = {
  wide: { width: 1600, height: 900 },
  square: { width: 1000, height: 1000 },
  tall: { width: 600, height: 1000 },
};

const moves: CameraMove[] = [
  {},
  { zoom: 10 },
  { zoom: -10 },
  { pan: 10 },
  { tilt: -10 },
  { truck: 10, pan: -10 },
  { pedestal: 10 },
  { roll: 10 },
  { pan: 10, tilt: 10, zoom: 5, truck: 10, pedestal: -10, roll: -10 },
];

describe('frameShot', () => {
  test.each(
    moves.flatMap((move) =>
      Object.keys(sizes).flatMap((picture) => Object.keys(sizes).map((frame) => [move, picture, frame] as const)),
    ),
  )('never sees past the border with %j in a %s picture and a %s frame', (move, picture, frame) => {
    const path = pathOf(move);
    const [from, into] = [sizes[picture as 'wide'], sizes[frame as 'wide']];
    const framing = frameShot(path, { picture: from, frame: into, focus: { x: 0.9, y: 0.15 } });
    const tall = from.height / from.width;
    const half = into.height / into.width / 2;
    for (let time = 0; time <= 1; time += 0.01) {
      const pose = anchored(path(time), framing.anchor);
      for (const [x, y] of [
        [-0.5, -half],
        [0.5, -half],
        [-0.5, half],
        [0.5, half],
      ] as const) {
        const [across, down] = meet(eyeOf(pose), rayOf(pose)(x, y), distance);
        // A hundredth: less than what is repeated beyond the border.
        expect(Math.abs(framing.x + across * framing.width - 0.5)).toBeLessThan(0.51);
        expect(Math.abs(framing.y + down * framing.width - tall / 2)).toBeLessThan(tall * 0.51);
      }
    }
  });

  test('shows all of a picture of the frame’s shape while nothing moves aside', () => {
    const framing = frameShot(pathOf({ zoom: 6 }), {
      picture: sizes.wide,
      frame: sizes.wide,
      focus: { x: 0.5, y: 0.5 },
    });
    expect(framing.width).toBeCloseTo(1, 6);
  });

  test('holds the focus in its place while the camera comes nearer', () => {
    const focus = { x: 0.7, y: 0.4 };
    const path = pathOf({ zoom: 10 });
    const { anchor, width, x } = frameShot(path, { picture: sizes.wide, frame: sizes.wide, focus });
    const seenAt = (time: number) => {
      const pose = anchored(path(time), anchor);
      return ((focus.x - x) / width - pose.x) * pose.zoom;
    };
    expect(seenAt(1)).toBeCloseTo(seenAt(0), 6);
  });
});

describe('a pose', () => {
  test('that is neutral sees every place straight ahead', () => {
    expect(meet(eyeOf(neutral), rayOf(neutral)(0.3, -0.2), distance)).toEqual([0.3, -0.2]);
  });

  test.each([
    ['to the right of the middle when it pans right', { pan: 5 }, 1, 0],
    ['above the middle when it tilts up', { tilt: 5 }, 0, -1],
    ['to the right when it trucks right', { truck: 5 }, 1, 0],
    ['above when it moves up', { pedestal: 5 }, 0, -1],
  ] as const)('ends up seeing what is %s', (_, move, right, down) => {
    const { to } = endsOf(move);
    const [x, y] = meet(eyeOf(to), rayOf(to)(0, 0), distance);
    expect([Math.sign(Math.round(x * 1e6)), Math.sign(Math.round(y * 1e6))]).toEqual([right, down]);
  });

  test('half way through a zoom is half way to the eye', () => {
    const { from, to } = endsOf({ zoom: 10 });
    expect([from.zoom, between(from, to, 0.5).zoom, to.zoom]).toEqual([1, Math.SQRT2, 2]);
  });

  test('goes there and back in a loop', () => {
    expect([0, 0.5, 1].map(thereAndBack)).toEqual([0, 1, 0]);
  });
});
