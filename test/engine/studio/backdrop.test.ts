import { describe, expect, test } from 'vitest';
import { type Backdrop, backdropRows, isOpaque } from '#src/engine/studio/backdrop.js';

const canvas = { width: 90, height: 60 };
const all: Backdrop[] = [
  { kind: 'plain', colour: [10, 20, 30, 40] },
  { kind: 'gradient', from: [255, 255, 255, 255], to: [0, 50, 100, 255], angle: 30 },
  { kind: 'studio', colour: [244, 240, 236, 255], horizon: 0.8 },
];

describe('backdropRows', () => {
  test.each(all.map((backdrop) => [backdrop.kind, backdrop] as const))(
    'draws the same %s in bands and at once',
    (_, backdrop) => {
      const rows = backdropRows(backdrop, canvas);
      const whole = rows(0, 60);
      expect(whole).toMatchObject({ ...canvas, channels: 4 });
      for (let top = 0; top < 60; top += 17) {
        const height = Math.min(17, 60 - top);
        expect(rows(top, height).data).toEqual(whole.data.subarray(360 * top, 360 * (top + height)));
      }
    },
  );

  test('runs a gradient from one colour to the other, in the direction that CSS gives an angle', () => {
    const at = (angle: number, x: number, y: number) => {
      const gradient: Backdrop = { kind: 'gradient', from: [250, 250, 250, 255], to: [50, 50, 50, 255], angle };
      return backdropRows(gradient, canvas)(y, 1).data[4 * x] as number;
    };
    expect([at(180, 40, 0), at(180, 40, 59)].map((value) => Math.round(value / 10))).toEqual([25, 5]);
    expect([at(90, 0, 30), at(90, 89, 30)].map((value) => Math.round(value / 10))).toEqual([25, 5]);
    expect(at(0, 40, 0)).toBeLessThan(60);
    expect(Math.abs(at(180, 45, 30) - 150)).toBeLessThan(5);
  });

  test('dithers: a slope of less than a level a row has no edge between two rows', () => {
    const slope: Backdrop = { kind: 'gradient', from: [100, 100, 100, 255], to: [103, 103, 103, 255], angle: 180 };
    const { data } = backdropRows(slope, { width: 400, height: 200 })(0, 200);
    const means = Array.from({ length: 200 }, (_, y) => {
      const row = data.subarray(1600 * y, 1600 * (y + 1));
      return row.reduce((sum, value, at) => sum + (at % 4 === 0 ? value : 0), 0) / 400;
    });
    for (let y = 1; y < 200; y++) expect(Math.abs((means[y] as number) - (means[y - 1] as number))).toBeLessThan(0.2);
  });

  test('lights a studio behind the subject and lets the floor begin where it stands', () => {
    const { data } = backdropRows({ kind: 'studio', colour: [244, 244, 244, 255], horizon: 0.8 }, canvas)(0, 60);
    const at = (x: number, y: number) => data[4 * (y * 90 + x)] as number;
    expect(at(45, 26)).toBeGreaterThan(at(1, 1) + 8);
    expect(at(45, 45)).toBeLessThan(at(45, 26));
    for (let y = 0; y < 60; y++) expect(at(45, y)).toBeGreaterThan(200);
  });
});

describe('isOpaque', () => {
  test('tells whether something shows through', () => {
    expect(all.map(isOpaque)).toEqual([false, true, true]);
  });
});
