import { describe, expect, test } from 'vitest';
import type { Size } from '#src/engine/media/media.js';
import { Canvas, type Channel } from '#src/engine/motion/canvas.js';
import { doubled } from '#src/engine/motion/doubling.js';
import { createMesh, fillMesh, type Mesh, type Place, type PlaceOf } from '#src/engine/motion/mesh.js';
import { createPlane, type PaddedPlane, type PlaneMaker, repeatBorder } from '#src/engine/motion/plane.js';

const size = { width: 64, height: 48 };

function planeOf(area: Size, value: (x: number, y: number) => number, make: PlaneMaker = createPlane): PaddedPlane {
  const plane = make(area, 8);
  for (let y = 0; y < area.height; y++) {
    for (let x = 0; x < area.width; x++) plane.data[(y + 8) * plane.stride + x + 8] = value(x, y);
  }
  repeatBorder(plane);
  return plane;
}

function meshOf(placeOf: PlaceOf, frame: Size = size, step = 16): Mesh {
  const mesh = createMesh(frame, step);
  fillMesh(mesh, placeOf);
  return mesh;
}

/** A plane of 64 × 48 as seen by a frame of the same size, moved. */
function moved(dx: number, dy: number): Mesh {
  return meshOf((x, y, place) => {
    place[0] = (x + dx) / 64;
    place[1] = (y + dy) / 48;
  });
}

/** A canvas, with a plane for it by what its samples are. */
function opened(frame: Size = size) {
  const canvas = new Canvas(frame);
  const on = (value: (x: number, y: number) => number, area = size) =>
    planeOf(area, value, (all, pad) => canvas.plane(all, pad));
  return { canvas, on, data: canvas.frame.data };
}

const noise = (x: number, y: number) => (x * 73 + y * 151 + x * y * 7) % 256;
const slope = (x: number, y: number) => 2 * x + y;

/** The sample of a plane at a place (in its samples), bilinear, by the book. */
function lookUp({ data, stride, pad, width, height }: PaddedPlane, x: number, y: number): number {
  const across = Math.min(Math.max(x + pad - 0.5, 0), width + 2 * pad - 1.01);
  const down = Math.min(Math.max(y + pad - 0.5, 0), height + 2 * pad - 1.01);
  const [left, top] = [Math.floor(across), Math.floor(down)];
  const at = (column: number, row: number) => data[(top + row) * stride + left + column] ?? 0;
  const [right, low] = [across - left, down - top];
  return (at(0, 0) * (1 - right) + at(1, 0) * right) * (1 - low) + (at(0, 1) * (1 - right) + at(1, 1) * right) * low;
}

/** The most that a drawn plane differs from what the samples at each of its places say. */
function worst(canvas: Canvas, channel: Channel, wanted: (x: number, y: number) => number): number {
  const { width, height, data } = canvas.frame;
  const half = channel === 'luma' ? 1 : 2;
  const first = { luma: 0, cb: width * height, cr: width * height * 1.25 }[channel];
  let most = 0;
  for (let row = 0; row < height / half; row++) {
    for (let column = 0; column < width / half; column++) {
      const place = half === 1 ? ([column + 0.5, row + 0.5] as const) : ([2 * column + 0.5, 2 * row + 1] as const);
      const found = data[first + (row * width) / half + column] ?? -1;
      most = Math.max(most, Math.abs(found - wanted(...place)));
    }
  }
  return most;
}

describe('draw', () => {
  test('gives a plane back as it is where frame and plane agree', () => {
    const { canvas, on, data } = opened();
    const plane = on(noise);
    canvas.draw(plane, moved(0, 0), { channel: 'luma' });
    for (let y = 0; y < 48; y++) {
      const row = plane.data.slice((y + 8) * plane.stride + 8, (y + 8) * plane.stride + 72);
      expect(data.slice(y * 64, y * 64 + 64)).toEqual(row);
    }
  });

  test.each([
    ['a camera that is level', 0, 0.8, 16, size],
    ['one that sees the plane much smaller', 0, 4.5, 16, size],
    ['one that sees it as in a mirror', 0, -0.9, 16, size],
    ['one that is rolled', 0.3, 0.7, 16, size],
    ['one that is rolled far, in a fine mesh', 1.4, 0.6, 8, size],
    ['a frame that ends in the middle of a mesh and of four samples', 0.1, 0.9, 16, { width: 58, height: 46 }],
  ] as const)('mixes the four samples around each place, for %s', (_, roll, scale, step, frame) => {
    const { canvas, on } = opened(frame);
    const plane = on((x, y) => (noise(x, y) + 255) / 2, { width: 320, height: 240 });
    const placeOf: PlaceOf = (x, y, place) => {
      const [across, down] = [x - frame.width / 2, y - frame.height / 2];
      place[0] = 0.5 + (scale * (across * Math.cos(roll) - down * Math.sin(roll))) / 320;
      place[1] = 0.5 + (Math.abs(scale) * (across * Math.sin(roll) + down * Math.cos(roll))) / 240;
    };
    const place: Place = [0, 0, 1];
    const wanted = (x: number, y: number) => {
      placeOf(x, y, place);
      return lookUp(plane, place[0] * 320, place[1] * 240);
    };
    for (const channel of ['luma', 'cb', 'cr'] as const) {
      canvas.draw(plane, meshOf(placeOf, frame, step), { channel });
      expect(worst(canvas, channel, wanted)).toBeLessThan(1.6);
    }
  });

  test('moves by any fraction of a pixel', () => {
    const { canvas, on, data } = opened();
    canvas.draw(on(slope), moved(3.25, 2.5), { channel: 'luma' });
    for (const [x, y] of [
      [0, 0],
      [17, 30],
      [50, 40],
    ] as const) {
      expect(Math.abs((data[y * 64 + x] ?? 0) - (2 * (x + 3.25) + y + 2.5))).toBeLessThanOrEqual(0.5);
    }
  });

  test('lays chroma on the even columns and between the rows of luma', () => {
    const { canvas, on, data } = opened();
    canvas.draw(on(slope), moved(0, 0), { channel: 'cb' });
    // The second sample of the second row: column 2, between rows 2 and 3.
    expect(data[64 * 48 + 32 + 1]).toBe(Math.round(2 * 2 + 2.5));
  });

  test('repeats the border where a frame sees past it', () => {
    const { canvas, on, data } = opened();
    canvas.draw(on(slope), moved(-100, -100), { channel: 'luma' });
    expect([...new Set(data.slice(0, 64 * 48))]).toEqual([0]);
  });

  test('writes nothing beside its plane, however the frame ends', () => {
    const { canvas, on, data } = opened({ width: 58, height: 46 });
    data.fill(77);
    canvas.draw(on(noise), moved(0, 0), { channel: 'cb' });
    const [area, quarter] = [58 * 46, 29 * 23];
    expect([...new Set(data.slice(0, area)), ...new Set(data.slice(area + quarter))]).toEqual([77, 77]);
  });

  test('lays a share of a plane over what is there', () => {
    const { canvas, on, data } = opened();
    data.fill(100);
    canvas.draw(
      on(() => 200),
      moved(0.3, 0.3),
      { channel: 'luma', share: 0.25 },
    );
    expect([...new Set(data.slice(0, 64 * 48))]).toEqual([125]);
  });
});

test('draw fades from place to place as the shares of the mesh say', () => {
  const { canvas, on, data } = opened();
  data.fill(100);
  const mesh = meshOf((x, y, place) => {
    place[0] = x / 64;
    place[1] = y / 48;
    place[2] = x / 64;
  });
  canvas.draw(
    on(() => 200),
    mesh,
    { channel: 'luma', share: 0.5 },
  );
  for (const x of [0, 17, 40, 63]) expect(Math.abs((data[64 * 20 + x] ?? 0) - (100 + (50 * x) / 64))).toBeLessThan(2);
});

describe('cover', () => {
  test('lays over what is there as much as alpha says, and nothing beyond the plane', () => {
    const { canvas, on, data } = opened();
    data.fill(100);
    const alpha = on((x) => (x < 40 ? 255 : 0));
    for (let row = 0; row < 64; row++) alpha.data.fill(0, row * alpha.stride + 72, (row + 1) * alpha.stride);
    canvas.cover(
      on(() => 0),
      alpha,
      { mesh: moved(16, 0), channel: 'luma' },
    );
    expect([data[10], data[30], data[60]]).toEqual([0, 100, 100]);
  });

  test('hides all of what is behind something opaque, and as much as is seen through something half so', () => {
    const { canvas, on, data } = opened();
    data.fill(240);
    const cover = (sample: number, alpha: number) =>
      canvas.cover(
        on(() => sample),
        on(() => alpha),
        { mesh: moved(0, 0), channel: 'luma' },
      );
    cover(33, 255);
    expect(data[1000]).toBe(33);
    cover(100, 128);
    expect(Math.abs((data[1000] ?? 0) - (100 + (33 * 127) / 255))).toBeLessThanOrEqual(1);
  });
});

describe('a canvas', () => {
  test('gives the memory of a plane that is not needed any more to the next one of its size', () => {
    const canvas = new Canvas(size);
    const plane = canvas.plane(size, 8);
    canvas.release(plane);
    expect(canvas.plane(size, 8).data).toBe(plane.data);
    expect(canvas.plane(size, 8).data).not.toBe(plane.data);
  });

  test('says when there is not enough memory', () => {
    const huge = { width: 60_000, height: 40_000 };
    expect(() => new Canvas(huge)).toThrow(expect.objectContaining({ code: 'out_of_memory' }));
  });

  test('keeps what it has when it grows', () => {
    const { canvas, on, data } = opened();
    const plane = on(noise);
    canvas.plane({ width: 2000, height: 1000 }, 8).data.fill(9);
    canvas.draw(plane, moved(0, 0), { channel: 'luma' });
    expect(data[65]).toBe(noise(1, 1));
  });
});

describe('doubled', () => {
  test('keeps a slope straight, and what is flat flat', () => {
    const large = doubled(planeOf(size, slope));
    const at = (x: number, y: number) => large.data[(y + 8) * large.stride + x + 8] ?? -1;
    expect([large.width, large.height]).toEqual([128, 96]);
    for (const [x, y] of [
      [20, 20],
      [61, 70],
      [100, 33],
    ] as const) {
      expect(Math.abs(at(x, y) - (2 * (x / 2 - 0.25) + y / 2 - 0.25))).toBeLessThanOrEqual(1);
    }
    expect([...new Set(doubled(planeOf({ width: 16, height: 16 }, () => 77)).data)]).toEqual([77]);
  });

  test('hits what lies between the samples of a wave of six pixels within two of 255', () => {
    const wave = (x: number) => 128 + 100 * Math.sin((2 * Math.PI * x) / 6);
    const large = doubled(planeOf({ width: 60, height: 12 }, (x) => Math.round(wave(x))));
    for (let x = 20; x < 100; x++) {
      const found = large.data[20 * large.stride + x + 8] ?? 0;
      expect(Math.abs(found - wave(x / 2 - 0.25))).toBeLessThan(2.5);
    }
  });
});
