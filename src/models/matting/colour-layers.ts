import type { Pixels, Size } from '../../engine/media/media.js';

/** The colours that every pixel of a guide would have if it were all kept, and if it were all removed. */
export interface ColourLayers extends Size {
  /** Per pixel: red, green, blue of the foreground, then of the background. */
  data: Uint8Array;
}

// As in the paper and in PyMatting: how much colours follow their neighbours anywhere, and more where alpha changes; how
// often a size is gone over, and up to which size it is gone over often.
const [smoothness, gradientWeight] = [1e-5, 1];
const [manyPasses, fewPasses, smallSide] = [10, 2, 32];

/**
 * Foreground and background of a guide (3 channels) with this alpha (0..255, of its size): the colours that mixed by alpha
 * give the picture and change least where alpha changes. Germer, Uelwer, Conrad and Harmeling, "Fast Multi-Level Foreground
 * Estimation" (ICPR 2020, arXiv 2006.14970): from one pixel to the full size, each size begins with the one before.
 * Measured on cut-outs of known colours before strong backgrounds, mean error at soft edges of 255: 3.0 (fur 3.2), where
 * blur fusion leaves 6.1 (12.7) and doing nothing 35.
 */
export function separateLayers(guide: Pixels, alpha: Uint8Array): ColourLayers {
  const steps = Math.max(1, Math.ceil(Math.log2(Math.max(guide.width, guide.height))));
  let layers = meanLayers(guide, alpha);
  for (let step = 0; step <= steps; step++) {
    const size = { width: sideAt(guide.width, step / steps), height: sideAt(guide.height, step / steps) };
    const level = sampleLevel(guide, alpha, { size, layers });
    const isSmall = Math.max(size.width, size.height) <= smallSide;
    for (let pass = 0; pass < (isSmall ? manyPasses : fewPasses); pass++) improve(level);
    layers = level;
  }
  // A clamped array rounds what is written to it, and copies much faster than `from` maps.
  const data = new Uint8Array(new Uint8ClampedArray(layers.layers).buffer);
  return { width: guide.width, height: guide.height, data };
}

function sideAt(length: number, share: number): number {
  return Math.max(1, Math.round(length ** share));
}

/** Six floats per pixel: foreground and background. */
interface Layers extends Size {
  layers: Float32Array;
}

interface Level extends Layers {
  colours: Float32Array;
  alpha: Float32Array;
}

/** One pixel: the means of what is kept and of what is removed, of everything where there is neither. */
function meanLayers({ data }: Pixels, alpha: Uint8Array): Layers {
  const sums = new Float64Array(6);
  const all = new Float64Array(3);
  let kept = 0;
  for (let at = 0; at < alpha.length; at++) {
    const share = (alpha[at] as number) / 255;
    kept += share;
    for (let channel = 0; channel < 3; channel++) {
      const value = data[3 * at + channel] as number;
      all[channel] = (all[channel] as number) + value;
      sums[channel] = (sums[channel] as number) + value * share;
      sums[3 + channel] = (sums[3 + channel] as number) + value * (1 - share);
    }
  }
  const weights = [kept, alpha.length - kept];
  const layers = Float32Array.from(sums, (sum, index) => {
    const weight = weights[Math.floor(index / 3)] as number;
    return weight > 1e-3 ? sum / weight : (all[index % 3] as number) / alpha.length;
  });
  return { width: 1, height: 1, layers };
}

/** The guide at a smaller size, each pixel as it stands there, with the layers of the size before. */
function sampleLevel(
  guide: Pixels,
  alpha: Uint8Array,
  { size, layers: before }: { size: Size; layers: Layers },
): Level {
  const { width, height } = size;
  const level = {
    ...size,
    colours: new Float32Array(3 * width * height),
    alpha: new Float32Array(width * height),
    layers: new Float32Array(6 * width * height),
  };
  const [columns, coarseColumns] = [places(guide.width, width), places(before.width, width)];
  const [rows, coarseRows] = [places(guide.height, height), places(before.height, height)];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const source = (rows[y] as number) * guide.width + (columns[x] as number);
      const coarse = (coarseRows[y] as number) * before.width + (coarseColumns[x] as number);
      level.alpha[at] = (alpha[source] as number) / 255;
      for (let index = 0; index < 3; index++) level.colours[3 * at + index] = guide.data[3 * source + index] as number;
      for (let index = 0; index < 6; index++)
        level.layers[6 * at + index] = before.layers[6 * coarse + index] as number;
    }
  }
  return level;
}

/** For every pixel of an axis, the one of an axis of another length in which its middle lies. */
function places(length: number, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, index) => Math.floor(((index + 0.5) * length) / count));
}

/**
 * One pass: every pixel takes the two colours that fit its own colour and those of its four neighbours best. Where alpha is
 * all or nothing all around, which is nearly everywhere, one of the two is its own colour and the other the neighbours' mean.
 */
function improve(level: Level): void {
  const { width, height, alpha } = level;
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const left = x > 0 ? at - 1 : at;
      const right = x < width - 1 ? at + 1 : at;
      const above = y > 0 ? at - width : at;
      const below = y < height - 1 ? at + width : at;
      const own = alpha[at] as number;
      const isEven = own === alpha[left] && own === alpha[right] && own === alpha[above] && own === alpha[below];
      if (isEven && (own === 0 || own === 1)) settlePixel(level, at, { own, left, right, above, below });
      else solvePixel(level, at, { own, left, right, above, below });
    }
  }
}

interface Around {
  /** Alpha of the pixel itself. */
  own: number;
  left: number;
  right: number;
  above: number;
  below: number;
}

function settlePixel({ colours, layers }: Level, at: number, { own, left, right, above, below }: Around): void {
  const [shown, hidden] = own === 1 ? [0, 3] : [3, 0];
  for (let channel = 0; channel < 3; channel++) {
    const index = hidden + channel;
    layers[6 * at + shown + channel] = colours[3 * at + channel] as number;
    layers[6 * at + index] =
      ((layers[6 * left + index] as number) +
        (layers[6 * right + index] as number) +
        (layers[6 * above + index] as number) +
        (layers[6 * below + index] as number)) /
      4;
  }
}

/** Two equations for each channel: α² F + α (1 − α) B = α I + what the neighbours pull, and its mirror image. */
function solvePixel({ colours, alpha, layers }: Level, at: number, { own, left, right, above, below }: Around): void {
  const pullLeft = smoothness + gradientWeight * Math.abs(own - (alpha[left] as number));
  const pullRight = smoothness + gradientWeight * Math.abs(own - (alpha[right] as number));
  const pullAbove = smoothness + gradientWeight * Math.abs(own - (alpha[above] as number));
  const pullBelow = smoothness + gradientWeight * Math.abs(own - (alpha[below] as number));
  const pull = pullLeft + pullRight + pullAbove + pullBelow;
  const pulled = (index: number) =>
    pullLeft * (layers[6 * left + index] as number) +
    pullRight * (layers[6 * right + index] as number) +
    pullAbove * (layers[6 * above + index] as number) +
    pullBelow * (layers[6 * below + index] as number);
  const front = own * own + pull;
  const mixed = own * (1 - own);
  const back = (1 - own) * (1 - own) + pull;
  const scale = 1 / (front * back - mixed * mixed);
  for (let channel = 0; channel < 3; channel++) {
    const colour = colours[3 * at + channel] as number;
    const kept = own * colour + pulled(channel);
    const removed = (1 - own) * colour + pulled(channel + 3);
    layers[6 * at + channel] = Math.min(255, Math.max(0, (back * kept - mixed * removed) * scale));
    layers[6 * at + 3 + channel] = Math.min(255, Math.max(0, (front * removed - mixed * kept) * scale));
  }
}
