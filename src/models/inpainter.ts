import { z } from 'zod';
import type { Pixels, Size } from '../engine/media/media.js';
import { type ModelEntry, readConstants } from './lockfile.js';
import { double, type Holed, halve, membrane, openHole, refineMembrane } from './membrane.js';
import type { ModelFamily, Sketch } from './model.js';
import type { ModelSession } from './session.js';
import { samples } from './signature.js';

// The net halves the picture three times.
const multiple = 8;

// About the shorter side at which a pyramid ends: there the net sees the whole picture.
const coarsest = 32;

const constants = z.strictObject({
  /** Longest side of a crop in one run. */
  size: z.int().multipleOf(multiple).positive(),
});

/**
 * Our own nets, which correct a rough fill: float RGB 0..1 [N, 3, H, W] and the share of every pixel that is unknown
 * [N, 1, H, W] in, RGB out. One net serves every level of a pyramid, from coarse to fine: the rough fill of a level is its
 * membrane with all the corrections of coarser levels.
 */
export const inpainter: ModelFamily = {
  name: 'inpainter',
  task: 'inpainting',
  constants,
  wrap(entry, session) {
    const { size } = readConstants(entry, constants);
    const improve = improver(entry, session);
    return {
      id: entry.id,
      size,
      async fill(crop, mask, sketch) {
        const halvings = sketch ? Math.log2(sketch.factor) : halvingsOf(crop);
        // The net does not run on the level of the sketch.
        const netted = sketch ? halvings - 1 : halvings;
        const holed = openHole(crop, mask, Math.max(1, multiple * 2 ** netted));
        const { colours } = await fillLevel(holed, halvings, { improve, sketch });
        return compose(crop, mask, { ...holed, colours });
      },
    };
  },
};

type Improve = (start: Holed) => Promise<Float32Array>;

function improver(entry: ModelEntry, session: ModelSession): Improve {
  const [picture = '', mask = ''] = entry.inputs.map(({ name }) => name ?? '');
  const output = entry.outputs[0]?.name ?? '';
  return async ({ colours, unknown, width, height }) => {
    const results = await session.run({
      [picture]: { type: 'float32', data: colours, dims: [1, 3, height, width] },
      [mask]: { type: 'float32', data: unknown, dims: [1, 1, height, width] },
    });
    return samples(entry, results[output], { type: Float32Array, length: 3 * width * height });
  };
}

/** How often a crop is made half as large. */
function halvingsOf({ width, height }: Size): number {
  return Math.max(0, Math.round(Math.log2(Math.min(width, height) / coarsest)) - 1);
}

/** A level of the pyramid, filled. */
interface Filled {
  colours: Float32Array;
  /** Its membrane: what the fill would be without corrections. */
  smooth: Float32Array;
}

async function fillLevel(
  holed: Holed,
  halvings: number,
  means: { improve: Improve; sketch: Sketch | undefined },
): Promise<Filled> {
  if (halvings === 0 && means.sketch) return fromSketch(holed, means.sketch);
  const [smooth, rough] = await begin(holed, halvings, means);
  const improved = await means.improve({ ...holed, colours: rough });
  return { smooth, colours: inHole(holed, improved) };
}

/** The membrane of a level, and with the corrections of the coarser ones. */
async function begin(
  holed: Holed,
  halvings: number,
  means: Parameters<typeof fillLevel>[2],
): Promise<[smooth: Float32Array, rough: Float32Array]> {
  if (halvings === 0) {
    const smooth = membrane(holed);
    return [smooth, smooth];
  }
  const half = halve(holed);
  const below = await fillLevel(half, halvings - 1, means);
  const smooth = refineMembrane(holed, double(below.smooth, half));
  const corrections = double(
    below.colours.map((value, at) => value - (below.smooth[at] as number)),
    half,
  );
  const rough = smooth.map((value, at) => value + (corrections[at] as number));
  return [smooth, inHole(holed, rough)];
}

function fromSketch(holed: Holed, { pixels }: Sketch): Filled {
  const { width, height } = holed;
  const area = width * height;
  const drawn = new Float32Array(3 * area);
  for (let y = 0, to = 0; y < height; y++) {
    // What was added to the crop goes on as its border does.
    const row = Math.min(y, pixels.height - 1) * pixels.width;
    for (let x = 0; x < width; x++, to++) {
      const from = 3 * (row + Math.min(x, pixels.width - 1));
      for (let channel = 0; channel < 3; channel++)
        drawn[to + channel * area] = (pixels.data[from + channel] as number) / 255;
    }
  }
  return { smooth: membrane(holed), colours: inHole(holed, drawn) };
}

/** The planes where something is unknown, the known colours elsewhere. */
function inHole({ colours, unknown }: Holed, planes: Float32Array): Float32Array {
  return colours.map((known, at) => ((unknown[at % unknown.length] as number) > 0 ? (planes[at] as number) : known));
}

function compose(crop: Pixels, mask: Pixels, { colours, width, height }: Holed): Pixels {
  const data = new Uint8Array(crop.data);
  for (let y = 0, to = 0; y < crop.height; y++) {
    for (let x = 0; x < crop.width; x++, to++) {
      if (mask.data[to] === 0) continue;
      for (let channel = 0; channel < 3; channel++) {
        const value = (colours[(channel * height + y) * width + x] as number) * 255;
        data[3 * to + channel] = Math.min(255, Math.max(0, Math.round(value)));
      }
    }
  }
  return { ...crop, data };
}
