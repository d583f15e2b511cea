import type { Pixels } from '../../engine/media/media.js';
import type { UpscaleModel } from '../model.js';

/**
 * The model averaged over the eight turns and mirrors of a tile (the "geometric self-ensemble" of EDSR, Lim et al. 2017,
 * known to users as TTA): eight times the work for about 0.1 dB.
 */
export function selfEnsemble(model: UpscaleModel): UpscaleModel {
  return {
    ...model,
    async upscale(tile) {
      const size = { width: tile.width * model.scale, height: tile.height * model.scale };
      const sums = new Uint16Array(size.width * size.height * 3);
      for (const view of views) {
        const large = await model.upscale(turn(tile, view));
        addBack(sums, large, view);
      }
      const data = Uint8Array.from(sums, (sum) => Math.round(sum / views.length));
      return { data, ...size, channels: 3 };
    },
  };
}

interface View {
  isMirrored: boolean;
  isFlipped: boolean;
  isTransposed: boolean;
}

const views: readonly View[] = Array.from({ length: 8 }, (_, index) => ({
  isMirrored: (index & 1) !== 0,
  isFlipped: (index & 2) !== 0,
  isTransposed: (index & 4) !== 0,
}));

/** The tile as this view shows it. */
function turn(tile: Pixels, view: View): Pixels {
  const [width, height] = view.isTransposed ? [tile.height, tile.width] : [tile.width, tile.height];
  const data = new Uint8Array(tile.data.length);
  const place = placer(tile, view);
  for (let at = 0; at < tile.width * tile.height; at++) {
    const to = 3 * place(at);
    for (let channel = 0; channel < 3; channel++) data[to + channel] = tile.data[3 * at + channel] as number;
  }
  return { data, width, height, channels: 3 };
}

/** Adds a result of a view to the sums of the untouched one. */
function addBack(sums: Uint16Array, large: Pixels, view: View): void {
  const upright = view.isTransposed ? { width: large.height, height: large.width } : large;
  const place = placer(upright, view);
  for (let at = 0; at < upright.width * upright.height; at++) {
    const from = 3 * place(at);
    for (let channel = 0; channel < 3; channel++) {
      sums[3 * at + channel] = (sums[3 * at + channel] as number) + (large.data[from + channel] as number);
    }
  }
}

/** Where the pixel of this index goes: mirrored, flipped, then transposed. */
function placer({ width, height }: Pick<Pixels, 'width' | 'height'>, view: View): (at: number) => number {
  return (at) => {
    const x = view.isMirrored ? width - 1 - (at % width) : at % width;
    const y = view.isFlipped ? height - 1 - Math.floor(at / width) : Math.floor(at / width);
    return view.isTransposed ? x * height + y : y * width + x;
  };
}
