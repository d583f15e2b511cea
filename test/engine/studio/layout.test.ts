import { describe, expect, test } from 'vitest';
import { type LayoutRequest, layOut } from '#src/engine/studio/layout.js';
import { type Length, parseSides } from '#src/engine/studio/lengths.js';

const source = { width: 400, height: 300 };
/** 100 wide and 200 high, left of the middle. */
const subject = { left: 50, top: 60, width: 100, height: 200 };
const none: Length = { unit: 'px', value: 0 };

function layout(request: Partial<LayoutRequest> = {}) {
  const usual = { crop: false, scale: null, position: null, size: null, ratio: null } as const;
  const sides = [none, none, none, none] as const;
  return layOut({ source, subject, margin: sides, padding: sides, ...usual, ...request });
}

const sides = (text: string) => parseSides(text, { px: 500, percent: 50 }) ?? ([none, none, none, none] as const);
const whole = { left: 0, top: 0, ...source };

describe('layOut', () => {
  test('leaves the picture as it is when nothing is asked for', () => {
    expect(layout()).toEqual({ canvas: source, from: whole, to: whole });
  });

  test('crops to the subject, with margins that are shares of it', () => {
    expect(layout({ crop: true })).toEqual({
      canvas: { width: 100, height: 200 },
      from: subject,
      to: { left: 0, top: 0, width: 100, height: 200 },
    });
    expect(layout({ crop: true, margin: sides('10% 5px 0 20%') })).toEqual({
      canvas: { width: 125, height: 220 },
      from: subject,
      to: { left: 20, top: 20, width: 100, height: 200 },
    });
  });

  test('puts padding around what is cropped, as share of the canvas', () => {
    expect(layout({ crop: true, padding: sides('10%') })).toMatchObject({
      canvas: { width: 125, height: 250 },
      to: { left: 13, top: 25, width: 100, height: 200 },
    });
    expect(layout({ padding: sides('100px') })).toMatchObject({
      canvas: source,
      to: { width: 50, height: 100, left: 175, top: 100 },
    });
  });

  test('scales the subject to a share of the canvas and puts it in the middle', () => {
    expect(layout({ scale: 0.5 })).toMatchObject({
      canvas: source,
      to: { width: 75, height: 150, left: 163, top: 75 },
    });
    expect(layout({ scale: 0.8, crop: true })).toMatchObject({
      canvas: { width: 125, height: 250 },
      to: { left: 13, top: 25, width: 100, height: 200 },
    });
  });

  test('moves the subject where it is told to', () => {
    expect(layout({ position: { x: 0, y: 1 } })).toMatchObject({ to: { left: 0, top: 100, width: 100, height: 200 } });
    expect(layout({ scale: 0.5, position: 'original' })).toMatchObject({ to: { left: 54, top: 90 } });
  });

  test('fits the whole picture, or the subject, on a canvas of a given size', () => {
    expect(layout({ size: { width: 800, height: 800 } })).toMatchObject({
      canvas: { width: 800, height: 800 },
      to: { left: 0, top: 100, width: 800, height: 600 },
    });
    expect(layout({ size: { width: 800, height: 800 }, crop: true })).toMatchObject({
      to: { left: 200, top: 0, width: 400, height: 800 },
    });
  });

  test('makes a square in which the subject fills 85 % without enlarging it', () => {
    expect(layout({ crop: true, scale: 0.85, ratio: 1 })).toMatchObject({
      canvas: { width: 235, height: 235 },
      to: { left: 68, top: 18, width: 100, height: 200 },
    });
  });

  test('widens or heightens to a ratio', () => {
    expect(layout({ ratio: 1 })).toMatchObject({ canvas: { width: 400, height: 400 }, to: { left: 0, top: 50 } });
    expect(layout({ crop: true, ratio: 4 / 5 })).toMatchObject({ canvas: { width: 160, height: 200 } });
  });

  test('makes all smaller when the canvas has too many pixels', () => {
    expect(layout({ maxPixels: 30_000 })).toMatchObject({
      canvas: { width: 200, height: 150 },
      to: { left: 0, top: 0, width: 200, height: 150 },
    });
  });

  test('shows the whole picture when there is no subject', () => {
    expect(layout({ subject: null, crop: true, scale: 0.5 })).toEqual({ canvas: source, from: whole, to: whole });
  });

  test('keeps what is placed inside of the canvas, whatever is asked for', () => {
    const texts = ['0', '7%', '30px 3%', '40% 1 2 40%'];
    for (const margin of texts) {
      for (const padding of texts) {
        for (const scale of [null, 0.1, 0.37, 1]) {
          for (const size of [null, { width: 16, height: 900 }]) {
            const request = { crop: true, margin: sides(margin), padding: sides(padding), scale, size };
            const { canvas, to } = layout(request);
            expect(to.left >= 0 && to.top >= 0 && to.width >= 1 && to.height >= 1).toBe(true);
            expect(to.left + to.width <= canvas.width && to.top + to.height <= canvas.height).toBe(true);
          }
        }
      }
    }
  });
});
