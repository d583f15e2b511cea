import { describe, expect, test } from 'vitest';
import type { Pixels, Plane, Size } from '#src/engine/media/media.js';
import { flowBetween, mismatch } from '#src/engine/motion/flow.js';
import { neutral } from '#src/engine/motion/pose.js';
import { openSpinScene } from '#src/engine/motion/spin-scene.js';
import { directionOf, guessTurn, median } from '#src/engine/motion/turning.js';
import { paint, paintPlane } from '../../helpers/pictures.js';

const size = { width: 96, height: 64 };

/** Soft blobs without any period, moved to the right. */
function blobs(right: number, area: Size = size): Plane {
  return paintPlane(area, (x, y) => {
    const [u, v] = [x - right, y];
    return 128 + 50 * Math.sin(u / 5 + Math.sin(v / 7) * 2) + 50 * Math.sin(v / 4 + (u * u) / 900);
  });
}

function meanAcross({ across }: { across: Plane }): number {
  const inside = across.data.filter((_, at) => at % 96 > 16 && at % 96 < 80);
  return (inside.reduce((sum, value) => sum + value, 0) / inside.length) * size.width;
}

describe('flowBetween', () => {
  test.each([0, 0.5, -3, 7.5])('finds a motion of %d pixels', (pixels) => {
    const [from, to] = [blobs(0), blobs(pixels)];
    const flow = flowBetween(from, to);
    expect(Math.abs(meanAcross(flow) - pixels)).toBeLessThan(0.4);
    expect(mismatch(from, to, flow)).toBeLessThan(8);
  });

  test('keeps to a guess where nothing can be told', () => {
    const flat = paintPlane(size, () => 100);
    const guess = { across: paintPlane(size, () => 0.1), down: paintPlane(size, () => 0) };
    expect(meanAcross(flowBetween(flat, flat, guess))).toBeCloseTo(9.6, 4);
  });
});

describe('guessTurn', () => {
  test.each([
    [6, 1],
    [-11, -1],
  ] as const)('finds something that went %d pixels, and its direction', (pixels, direction) => {
    const [from, to] = [blobs(0), blobs(pixels)];
    expect(directionOf(from, to, 0.2)).toBe(direction);
    expect(
      Math.abs(meanAcross({ across: guessTurn(from, to, { direction, reach: 0.2 }).across }) - pixels),
    ).toBeLessThan(1);
  });

  test('leaves alone what has not moved', () => {
    const { across } = guessTurn(blobs(0), blobs(0), { direction: 1, reach: 0.2 });
    expect(across.data.every((value) => value === 0)).toBe(true);
  });
});

test('median takes away what a single place says alone', () => {
  const plane = paintPlane({ width: 5, height: 5 }, (x, y) => Number(x === 2 && y === 2));
  expect(Math.max(...median(plane).data)).toBe(0);
});

describe('a spin', () => {
  const frame = { width: 96, height: 64 };
  const at = [0, 8, 16, 8];

  function scene(turned: number) {
    const asked: number[] = [];
    const opened = openSpinScene({
      views: 4,
      turning: null,
      picture: frame,
      frame,
      path: () => neutral,
      turn: () => turned,
      decode: async (view, wanted): Promise<Pixels> => {
        asked.push(view);
        const scale = frame.width / wanted.width;
        const { data } = blobs(0, frame);
        return paint(wanted, 3, (x, y) => {
          // A textured square on a grey ground.
          const [u, v] = [x * scale - (at[view] ?? 0), y * scale];
          if (u < 28 || u >= 52 || v < 20 || v >= 44) return [90, 90, 90];
          const value = data[Math.floor(v) * 96 + Math.floor(u)] ?? 0;
          return [value, value, value];
        });
      },
    });
    return { opened, asked };
  }

  /** The mean column of what is not the ground. */
  async function middleOf(turned: number): Promise<number> {
    const into = await scene(turned).opened.draw(0);
    let [sum, weight] = [0, 0];
    for (let y = 24; y < 40; y++) {
      for (let x = 0; x < 96; x++) {
        const share = Math.abs((into.data[y * 96 + x] ?? 0) - 93) > 12 ? 1 : 0;
        sum += share * x;
        weight += share;
      }
    }
    return sum / weight;
  }

  test('shows a view as it is, and between two views something on its way', async () => {
    const places = [await middleOf(0), await middleOf(0.125), await middleOf(0.25)];
    expect((places[2] ?? 0) - (places[0] ?? 0)).toBeGreaterThan(6);
    expect(Math.abs((places[1] ?? 0) - ((places[0] ?? 0) + (places[2] ?? 0)) / 2)).toBeLessThan(2);
  });

  test('goes on from the last view to the first, and opens only the views it needs', async () => {
    const { opened, asked } = scene(0.9);
    await opened.draw(0);
    expect(new Set(asked)).toEqual(new Set([3, 0]));
  });
});
