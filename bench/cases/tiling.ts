import sharp from 'sharp';
import type { Pixels } from '#src/engine/media/media.js';
import type { UpscaleModel } from '#src/models/model.js';
import { feather, planTiles, type TilePlan } from '#src/models/tiling/tile-plan.js';
import { enlarge } from '#src/models/tiling/tiling.js';
import type { Case, Measurement } from '../bench.js';
import { photo } from '../material.js';
import { psnr, readRgb } from '../pictures.js';
import { openUpscalers } from '../upscalers.js';

// Sides that no tile divides, and small enough for the larger nets to see the whole in one run.
const size = { width: 400, height: 333 };
const tile = 192;

/** What stands for "identical to the last bit": a number, since JSON knows no infinity. */
const identical = 120;

async function tiledAgainstWhole(): Promise<Measurement> {
  const picture = await readRgb(await sharp(photo).resize(size).png().toBuffer());
  const figures: Record<string, number> = {};
  for (const model of await openUpscalers()) {
    const same = psnr(await tiled(picture, model), await model.upscale(picture));
    const { largest, elsewhere, mean } = await seamsOf(model);
    figures[`${model.id} dB`] = Math.min(identical, same);
    figures[`${model.id} largest step at seams − elsewhere`] = largest - elsewhere;
    figures[`${model.id} steps at seams ÷ in the whole`] = mean;
  }
  const decibels = Object.entries(figures).flatMap(([name, value]) => (name.endsWith('dB') ? [value] : []));
  return { value: Math.min(...decibels), check: Object.keys(figures).join(', '), more: figures };
}

async function tiled(picture: Pixels, model: UpscaleModel): Promise<Pixels> {
  const [width, height] = [picture.width * model.scale, picture.height * model.scale];
  const data = new Uint8Array(width * height * 3);
  let done = 0;
  const source = {
    ...picture,
    channels: 3 as const,
    readRows: async (top: number, rows: number): Promise<Pixels> => {
      const stride = picture.width * 3;
      return { ...picture, data: picture.data.slice(top * stride, (top + rows) * stride), height: rows };
    },
    close: async () => {},
  };
  const write = async (rows: Pixels) => {
    data.set(rows.data, done);
    done += rows.data.length;
  };
  await enlarge(source, model, { write, checkpoint: () => {}, tile });
  if (done !== data.length) throw new Error(`Expected ${data.length} bytes of rows, got ${done}`);
  return { data, width, height, channels: 3 };
}

/** Steps between neighbours where tiles meet, on a picture that is one smooth slope: a seam would be one too many. */
async function seamsOf(model: UpscaleModel): Promise<{ largest: number; elsewhere: number; mean: number }> {
  const [whole, made] = [await model.upscale(slope()), await tiled(slope(), model)];
  const isSeam = seams(planTiles(size, { pad: model.overlap, width: tile, height: tile }), model.scale);
  const found = { largest: 0, elsewhere: 0, tiled: 0, whole: 0 };
  // What a net does at the border of the picture is no seam.
  const border = 4 * model.scale;
  for (let y = border; y < made.height - border; y += 1) {
    for (let x = border; x < made.width - border; x += 1) {
      const at = (y * made.width + x) * 3;
      if (isSeam.column(x) || isSeam.row(y)) {
        found.largest = Math.max(found.largest, stepAt(made, at));
        found.tiled += stepAt(made, at);
        found.whole += stepAt(whole, at);
      } else found.elsewhere = Math.max(found.elsewhere, stepAt(made, at));
    }
  }
  return { largest: found.largest, elsewhere: found.elsewhere, mean: found.tiled / found.whole };
}

function slope(): Pixels {
  const data = Uint8Array.from({ length: size.width * size.height * 3 }, (_, at) => {
    const [x, y] = [Math.floor(at / 3) % size.width, Math.floor(at / 3 / size.width)];
    return Math.round(60 + (70 * x) / size.width + (70 * y) / size.height);
  });
  return { data, ...size, channels: 3 };
}

/** Levels to the neighbour on the right or below, whichever is further off. */
function stepAt({ data, width }: Pixels, at: number): number {
  const stepTo = (neighbour: number) => Math.abs((data[neighbour] as number) - (data[at] as number));
  return Math.max(stepTo(at + 3), stepTo(at + width * 3));
}

/** Whether a column or row of the result lies where two tiles are mixed. */
function seams({ columns, rows }: TilePlan, scale: number) {
  const ramps = (spans: TilePlan['rows']) => spans.slice(1).map(({ from }) => from * scale);
  const isIn = (starts: number[]) => (at: number) =>
    starts.some((start) => at >= start - 1 && at < start + feather * scale);
  return { column: isIn(ramps(columns)), row: isIn(ramps(rows)) };
}

export default {
  name: 'tiling',
  question: `PSNR of a picture enlarged in tiles against the whole in one run, the lowest of all upscalers (${identical}: the same to the last bit)`,
  unit: 'dB',
  variants: { tiled: tiledAgainstWhole },
  rounds: 1,
  mustAgree: true,
  target: {
    text: '≥ 60 dB; on a slope no step at a seam larger than elsewhere, and the mean step ≤ 1.02 × that without tiles',
    holds: (decibels, measured) => {
      const more = Object.entries(measured.get('tiled')?.[0]?.more ?? {});
      const all = (ending: string, most: number) =>
        more.every(([name, value]) => !name.endsWith(ending) || Number(value) <= most);
      return decibels >= 60 && all('− elsewhere', 0) && all('÷ in the whole', 1.02);
    },
  },
} satisfies Case;
