import { describe, expect, test } from 'vitest';
import { type Film, filmed, type Shot } from '#src/engine/motion/film.js';
import { createFrame } from '#src/engine/motion/frame.js';

const size = { width: 16, height: 16 };

/** A shot that is of one brightness, or says which moment it shows. */
function shot(from: number, to: number, luma: number | 'time', opened: number[] = []): Shot {
  return {
    from,
    to,
    async open() {
      opened.push(from);
      const frame = createFrame(size);
      return {
        draw(time) {
          frame.data.fill(luma === 'time' ? Math.round(time * 200) : luma);
          return frame;
        },
      };
    },
  };
}

async function lumas(film: Partial<Film> & Pick<Film, 'frames' | 'shots'>): Promise<number[]> {
  const found: number[] = [];
  for await (const { data } of filmed({ ...size, isLoop: false, checkpoint: () => {}, ...film }))
    found.push(data[0] ?? -1);
  return found;
}

describe('filmed', () => {
  test('shows the first moment in the first frame and the last in the last', async () => {
    expect(await lumas({ frames: 5, shots: [shot(0, 5, 'time')] })).toEqual([0, 50, 100, 150, 200]);
  });

  test('shows no moment twice in a loop', async () => {
    expect(await lumas({ frames: 5, shots: [shot(0, 5, 'time')], isLoop: true })).toEqual([0, 40, 80, 120, 160]);
  });

  test('cuts from shot to shot, and opens each when it comes', async () => {
    const opened: number[] = [];
    const shots = [shot(0, 3, 10, opened), shot(3, 6, 20, opened), shot(6, 8, 30, opened)];
    expect(await lumas({ frames: 8, shots })).toEqual([10, 10, 10, 20, 20, 20, 30, 30]);
    expect(opened).toEqual([0, 3, 6]);
  });

  test('fades smoothly where shots overlap', async () => {
    const found = await lumas({ frames: 12, shots: [shot(0, 8, 0), shot(4, 12, 200)] });
    expect(found.slice(0, 4)).toEqual([0, 0, 0, 0]);
    expect(found.slice(8)).toEqual([200, 200, 200, 200]);
    const fading = found.slice(3, 9);
    expect(fading).toEqual(fading.toSorted((a, b) => a - b));
    expect(new Set(fading).size).toBe(6);
  });

  test('fades from the end of a loop into its beginning', async () => {
    const found = await lumas({ frames: 12, isLoop: true, shots: [shot(-4, 6, 200), shot(6, 12, 0)] });
    expect(found.slice(0, 8)).toEqual([200, 200, 200, 200, 200, 200, 0, 0]);
    expect(found[8]).toBeGreaterThan(0);
    expect(found[11]).toBeLessThan(200);
    expect(found.slice(7)).toEqual(found.slice(7).toSorted((a, b) => a - b));
  });

  test('asks before every frame whether to go on', async () => {
    let asked = 0;
    const checkpoint = (fraction: number) => {
      expect(fraction).toBeCloseTo(asked / 8);
      if (++asked > 3) throw new Error('stopped');
    };
    await expect(lumas({ frames: 8, shots: [shot(0, 8, 1)], checkpoint })).rejects.toThrow('stopped');
  });
});
