import { describe, expect, test } from 'vitest';
import { castShadow, type Shadow, shadowReach } from '#src/engine/studio/shadow.js';
import { paintPlane } from '../../helpers/pictures.js';

const source = { width: 200, height: 100 };
/** A box 40 wide and 50 high in the middle. */
const alpha = paintPlane(source, (x, y) => (x >= 80 && x < 120 && y >= 25 && y < 75 ? 1 : 0));
const whole = { left: 0, top: 0, ...source };
const layout = { canvas: source, from: whole, to: whole, source };
const usual: Shadow = { kind: 'drop', opacity: 0.5, blur: 0.04, angle: 180, distance: 0.1 };

function cast(shadow: Partial<Shadow>) {
  const rows = castShadow(alpha, layout, { ...usual, ...shadow })(0, 100);
  return (x: number, y: number) => rows[y * 200 + x] as number;
}

describe('castShadow', () => {
  test('drops a blurred copy of the subject away from the light', () => {
    const at = cast({});
    expect(at(100, 55)).toBeGreaterThan(0.45);
    expect(at(100, 78)).toBeGreaterThan(0.1);
    expect(at(100, 22)).toBeLessThan(0.02);
    expect(at(5, 5)).toBe(0);
    expect(cast({ angle: 90, distance: 0.2 })(128, 50)).toBeGreaterThan(0.2);
    expect(cast({ angle: 90, distance: 0.2 })(72, 50)).toBeLessThan(0.02);
  });

  test('lies only where the subject stands when it is a contact', () => {
    const at = cast({ kind: 'contact' });
    expect(at(100, 75)).toBeGreaterThan(0.3);
    expect(at(100, 40)).toBeLessThan(0.01);
    expect(at(100, 85)).toBeLessThan(0.01);
  });

  test('is some of both when it is soft', () => {
    const [soft, contact] = [cast({ kind: 'soft' }), cast({ kind: 'contact' })];
    expect(soft(100, 75)).toBeGreaterThan(contact(100, 75));
    expect(soft(100, 50)).toBeGreaterThan(0.1);
  });

  test('is never darker than it is told, and none without a subject', () => {
    for (const kind of ['drop', 'contact'] as const) {
      const rows = castShadow(alpha, layout, { ...usual, kind, opacity: 0.3 })(0, 100);
      expect(Math.max(...rows)).toBeLessThanOrEqual(0.3 + 1e-6);
      expect(Math.max(...rows)).toBeGreaterThan(0.25);
    }
    const empty = paintPlane(source, () => 0);
    expect(Math.max(...castShadow(empty, layout, usual)(0, 100))).toBe(0);
  });

  test('follows the subject to where it is laid, in bands as at once', () => {
    const canvas = { width: 1200, height: 900 };
    const from = { left: 80, top: 25, width: 40, height: 50 };
    const placed = { canvas, from, to: { left: 100, top: 200, width: 480, height: 600 }, source };
    const rows = castShadow(alpha, placed, { ...usual, distance: 0 });
    const whole = rows(0, 900);
    expect(whole[500 * 1200 + 340]).toBeGreaterThan(0.45);
    expect(whole[500 * 1200 + 1000]).toBe(0);
    expect(rows(333, 50)).toEqual(whole.subarray(333 * 1200, 383 * 1200));
  });
});

describe('shadowReach', () => {
  test('says how much room a shadow needs: what lies beyond is hardly seen', () => {
    for (const kind of ['drop', 'contact', 'soft'] as const) {
      const shadow = { ...usual, kind, angle: 150 };
      const [, , bottom] = shadowReach(shadow);
      const at = cast(shadow);
      const beyond = Math.ceil(75 + bottom * 50);
      expect(at(100, beyond)).toBeLessThan(0.03);
    }
  });
});
