import { describe, expect, test } from 'vitest';
import { lookTwice, secondLookScale, stretchPart, subjectBox } from '#src/models/matting/second-look.js';
import type { Pixels, Plane } from '../../../src/engine/media/media.js';
import type { MattingModel } from '../../../src/models/model.js';

const size = { width: 40, height: 40 };

/** A picture with a white rectangle on black. */
function rectangle(left: number, top: number, width: number, height: number): Pixels {
  const data = new Uint8Array(3 * size.width * size.height);
  for (let y = top; y < top + height; y++) {
    data.fill(255, 3 * (y * size.width + left), 3 * (y * size.width + left + width));
  }
  return { ...size, data, channels: 3 };
}

/** Takes what is bright for the subject, and remembers what it was shown. */
function brightness(shown: Pixels[]): MattingModel {
  return {
    id: 'brightness',
    gainsByLookingTwice: true,
    inputSize: () => ({ width: 20, height: 20 }),
    async predict(pixels) {
      shown.push(pixels);
      const { width, height } = pixels;
      const data = Float32Array.from({ length: width * height }, (_, at) => (pixels.data[3 * at] as number) / 255);
      return { data, width, height };
    },
  };
}

function plane(picture: Pixels): Plane {
  return {
    ...size,
    data: Float32Array.from({ length: 1600 }, (_, at) => (picture.data[3 * at] as number) / 255),
  };
}

const share = ({ data }: Pixels) => data.reduce((sum, value) => sum + value, 0) / 255 / data.length;

describe('lookTwice', () => {
  test('shows the model the whole, then the subject larger, both at the size that it wants', async () => {
    const shown: Pixels[] = [];
    const picture = rectangle(11, 13, 9, 7);
    const matte = await lookTwice(brightness(shown), picture);
    expect(shown.map(({ width, height }) => [width, height])).toEqual([
      [40 / secondLookScale, 40 / secondLookScale],
      [40 / secondLookScale, 40 / secondLookScale],
    ]);
    expect(share(shown[1] as Pixels)).toBeGreaterThan(5 * share(shown[0] as Pixels));
    expect(matte).toMatchObject(size);
  });

  test('comes nearer to the outline than one look does', async () => {
    const picture = rectangle(11, 13, 9, 7);
    const truth = plane(picture).data;
    const errorOf = ({ data }: Plane) =>
      data.reduce((sum, value, at) => sum + Math.abs(value - (truth[at] as number)), 0);
    const once = { ...brightness([]), gainsByLookingTwice: false };
    const first = await once.predict(stretchPart(picture, { left: 0, top: 0, ...size }, { width: 20, height: 20 }));
    const coarse = stretchPart(
      { ...picture, ...first, data: toBytes(first), channels: 3 },
      { left: 0, top: 0, width: 20, height: 20 },
      size,
    );
    expect(errorOf(await lookTwice(brightness([]), picture))).toBeLessThan(0.8 * errorOf(plane(coarse)));
  });

  test('is content with one look where there is nothing, and where the subject fills the picture', async () => {
    for (const picture of [rectangle(0, 0, 0, 0), rectangle(1, 1, 38, 38)]) {
      const shown: Pixels[] = [];
      expect(await lookTwice(brightness(shown), picture)).toMatchObject(size);
      expect(shown).toHaveLength(1);
    }
  });
});

describe('subjectBox', () => {
  test('goes around all that is seen, with a margin that stays inside the picture', () => {
    expect(subjectBox(plane(rectangle(10, 0, 20, 10)))).toEqual({ left: 7, top: 0, width: 26, height: 12 });
  });
});

function toBytes({ data }: Plane): Uint8Array {
  return Uint8Array.from({ length: 3 * data.length }, (_, at) =>
    Math.round(255 * (data[Math.floor(at / 3)] as number)),
  );
}
