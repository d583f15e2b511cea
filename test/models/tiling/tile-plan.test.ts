import { describe, expect, test } from 'vitest';
import { feather, planTiles, type Span } from '#src/models/tiling/tile-plan.js';

describe('planTiles', () => {
  const pad = 20;
  const limit = 128;
  test('cuts a side of any length so that each pixel is used, far enough from the inner sides of its window', () => {
    for (let length = 1; length < 700; length++) {
      const { columns, rows } = planTiles({ width: length, height: length }, { pad, width: limit, height: limit });
      expect(rows).toEqual(columns);
      expect(columns[0]?.from).toBe(0);
      expect(columns.at(-1)?.to).toBe(length);
      expect(new Set(columns.map(({ size }) => size)).size).toBe(1);
      for (const [index, span] of columns.entries()) checkSpan(span, columns[index + 1], length);
    }
  });

  function checkSpan({ start, size, from, to }: Span, next: Span | undefined, length: number): void {
    expect(size).toBe(length <= limit ? length : size - (size % 8));
    expect(size).toBeLessThanOrEqual(limit);
    expect(start).toBeGreaterThanOrEqual(0);
    if (next) expect(start % 2).toBe(0);
    expect(start + size).toBeLessThanOrEqual(length);
    expect(from - start).toBeGreaterThanOrEqual(start === 0 ? 0 : pad);
    expect(start + size - to).toBeGreaterThanOrEqual(next ? pad : 0);
    if (next) expect(next.from).toBe(to - feather);
  }

  test('takes no more windows than their overlap makes necessary', () => {
    const { columns, rows } = planTiles({ width: 4000, height: 3000 }, { pad: 18, width: 384, height: 384 });
    const waste = (columns.length * rows.length * (columns[0]?.size ?? 0) * (rows[0]?.size ?? 0)) / (4000 * 3000);
    expect(waste).toBeLessThan((384 / (384 - 2 * 18 - feather)) ** 2 * 1.02);
  });
});
