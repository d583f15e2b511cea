import type { Pixels } from '../../engine/media/media.js';
import { double, type Holed, halve, membrane, openHole, refineMembrane } from './membrane.js';
import type { Sketch } from '../model.js';

/** Corrects the colours of a level where it is unknown; gives planes of its size. */
export type Improve = (start: Holed) => Promise<Float32Array>;

export interface PyramidOptions {
  /** How often the crop is made half as large; with a sketch, as often as that is smaller. */
  halvings: number;
  /** Of which the sides of every level must be multiples. */
  multiple: number;
  improve: Improve;
  /** The smallest level, filled already. */
  sketch: Sketch | undefined;
}

/**
 * Fills what `mask` marks of a crop (as `InpaintModel.fill`) from coarse to fine: every level begins with its membrane and
 * the corrections of the coarser ones, so that what is filled meets the known pixels without a step.
 */
export async function fillPyramid(crop: Pixels, mask: Pixels, options: PyramidOptions): Promise<Pixels> {
  const { sketch, multiple, improve } = options;
  const halvings = sketch ? Math.log2(sketch.factor) : options.halvings;
  // Nothing is improved on the level of the sketch.
  const improved = sketch ? halvings - 1 : halvings;
  const holed = openHole(crop, mask, Math.max(1, multiple * 2 ** improved));
  const { colours } = await fillLevel(holed, halvings, { improve, sketch });
  return compose(crop, mask, { ...holed, colours });
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
