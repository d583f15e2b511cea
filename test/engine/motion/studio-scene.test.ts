import { describe, expect, test } from 'vitest';
import { type Body, bodyOf } from '#src/engine/motion/body.js';
import { bulgeOf } from '#src/engine/motion/bulge.js';
import { reflectionOf, shadowOf } from '#src/engine/motion/ground.js';
import { neutral } from '#src/engine/motion/pose.js';
import { bodySize, openStudioScene } from '#src/engine/motion/studio-scene.js';
import { paint } from '../../helpers/pictures.js';

/** A black box, half as wide as it is high, in a transparent picture; its right third is grey. */
const box = paint({ width: 120, height: 160 }, 4, (x, y) => {
  const isInside = x >= 30 && x < 90 && y >= 20 && y < 140;
  return [x < 70 ? 0 : 128, x < 70 ? 0 : 128, x < 70 ? 0 : 128, isInside ? 255 : 0];
});
const body = bodyOf(box) as Body;
const frame = { width: 320, height: 240 };

function drawn(angle: number) {
  const bulge = bulgeOf(body);
  const scene = openStudioScene({
    frame,
    path: () => neutral,
    body,
    bulge,
    colour: [255, 255, 255, 255],
    turn: () => angle,
  });
  const { data } = scene.draw(0);
  const lumaAt = (x: number, y: number) => data[y * frame.width + x] ?? -1;
  const dark = Array.from({ length: frame.width }, (_, x) => x).filter((x) => lumaAt(x, 120) < 60);
  return { lumaAt, dark };
}

describe('a body', () => {
  test('has room around it and knows where it stands', () => {
    expect([body.pixels.width, body.pixels.height]).toEqual([60 + 64, 120 + 64]);
    expect(body.box).toEqual({ left: 32, right: 92, top: 32, bottom: 152 });
    expect(body.alpha.data[0]).toBe(0);
    expect(body.alpha.data[60 * 124 + 60]).toBe(1);
  });

  test('of nothing is none', () => {
    expect(bodyOf(paint({ width: 8, height: 8 }, 4, () => [9, 9, 9, 5]))).toBeNull();
  });

  test('is cut out with a sample for each pixel of the frame', () => {
    expect(bodySize({ width: 1000, height: 1000 }, { width: 0.5, height: 0.8 }, frame)).toEqual({
      width: 198,
      height: 198,
    });
  });
});

describe('the floor', () => {
  test('is darkest where the body touches it', () => {
    const { pixels, line } = shadowOf(body);
    const alphaAt = (x: number, y: number) => pixels.data[4 * (y * pixels.width + x) + 3] ?? 0;
    const middle = Math.round(pixels.width / 2);
    expect(alphaAt(middle, line)).toBeGreaterThan(100);
    expect(alphaAt(middle, line + Math.round(line / 2))).toBeLessThan(alphaAt(middle, line) / 2);
    expect(alphaAt(2, line)).toBe(0);
  });

  test('shows the body faintly, less and less with its height', () => {
    const { data, width } = reflectionOf(body);
    const alphaAt = (y: number) => data[4 * (y * width + 60) + 3] ?? 0;
    expect(alphaAt(150)).toBeGreaterThan(40);
    expect(alphaAt(130)).toBeLessThan(alphaAt(150));
    expect(alphaAt(60)).toBe(0);
  });
});

describe('a studio scene', () => {
  test('shows the body in the middle, on a light floor, with a shadow under it', () => {
    const { lumaAt, dark } = drawn(0);
    expect([lumaAt(5, 5), lumaAt(300, 100)].every((luma) => luma > 190)).toBe(true);
    // Two thirds of its 79 pixels are black.
    expect(dark.length).toBeGreaterThan(46);
    expect(dark.length).toBeLessThan(58);
    expect(lumaAt(160, 197)).toBeLessThan(lumaAt(40, 197) - 30);
  });

  test('brings the side nearer that turns toward the camera, and narrows the body', () => {
    const [straight, right, left] = [drawn(0), drawn(0.4), drawn(-0.4)];
    expect(right.dark.length).not.toBe(left.dark.length);
    expect(Math.min(right.dark.length, left.dark.length)).toBeLessThan(straight.dark.length);
  });
});
