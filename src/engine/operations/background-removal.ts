import { z } from 'zod';
import { alphaOfRows } from '../../models/alpha-rows.js';
import { findNearbyColours, foregroundOfRows } from '../../models/foreground.js';
import { fitAlpha, guideSize } from '../../models/guided-filter.js';
import type { Pixels } from '../media/media.js';
import type { Operation, OutputFile } from './operation.js';
import { flag, formatParam, modelParam } from './params.js';
import type { PixelReader, Workbench } from './workbench.js';

const params = z.object({
  model: modelParam(),
  only_mask: flag().default(false).describe('Give the mask itself: white is kept, black is removed'),
  format: formatParam(['png', 'webp']),
});

type Params = z.output<typeof params>;

/** Cuts out the foreground: the picture at its own size with a true alpha channel. */
export const backgroundRemoval: Operation<Params> = {
  name: 'background-removal',
  type: 'BACKGROUND_REMOVAL',
  command: 'cutout',
  idPrefix: 'bgrm',
  batch: { idPrefix: 'bgrm_batch', max: 100 },
  syncPaths: ['background-removal', 'remove-background'],
  lane: 'device',
  pictures: [{ field: 'image', required: true }],
  summary: 'Removes the background of a picture',
  params,
  models: ({ model }) => [{ task: 'background-removal', wanted: model }],
  async perform(bench, { only_mask, format }) {
    const finding = await find(bench);
    const source = await bench.images.open(bench.input('image'));
    try {
      const output = await (only_mask ? writeMask : writeCutout)(bench, { source, format, ...finding });
      return { outputs: [output], warnings: [], facts: { width: source.width, height: source.height } };
    } finally {
      await source.close();
    }
  },
};

/** What the network and the colours of the picture say together. */
interface Finding {
  /** Alpha 0..255 of rows of the picture. */
  findAlpha(rows: Pixels, top: number): Uint8Array;
  /** Takes the background out of the colours of half transparent pixels. */
  cleanColours(rows: Pixels, top: number): void;
}

interface Cutout extends Finding {
  source: PixelReader;
  format: Params['format'];
}

// Few enough to stay in the cache of a core, enough to keep the disk out of it.
const rowsAtATime = 128;

/** Runs the network at its own size and fits what it says to the colours of the picture. */
async function find(bench: Workbench): Promise<Finding> {
  const { images } = bench;
  const path = bench.input('image');
  bench.checkpoint('decode');
  const model = await bench.model('background-removal');
  const facts = await images.facts(path, 'image');
  const small = await images.decode(path, { size: model.inputSize(facts), channels: 3 });
  const guide = await images.decode(path, { size: guideSize(facts), channels: 3 });
  bench.checkpoint('infer');
  const matte = await model.predict(small);
  bench.checkpoint('compose');
  const fit = fitAlpha(matte, guide);
  const colours = findNearbyColours(guide, alphaOfRows(fit, guide)(guide, 0));
  return { findAlpha: alphaOfRows(fit, facts), cleanColours: foregroundOfRows(colours, facts) };
}

async function writeCutout(bench: Workbench, { source, format, ...finding }: Cutout): Promise<OutputFile> {
  const target = await bench.images.create({ width: source.width, height: source.height, channels: 4 });
  for await (const { rows, top } of bands(bench, source)) {
    const result = withAlpha(rows, finding.findAlpha(rows, top));
    finding.cleanColours(result, top);
    keepTransparency(result.data, 4, rows);
    await target.write(result);
  }
  bench.checkpoint('encode');
  return target.encode(format);
}

async function writeMask(bench: Workbench, { source, findAlpha, format }: Cutout): Promise<OutputFile> {
  const { width, height } = source;
  const mask = { data: new Uint8Array(width * height), width, height, channels: 1 } as const;
  for await (const { rows, top } of bands(bench, source)) {
    const alpha = findAlpha(rows, top);
    keepTransparency(alpha, 1, rows);
    mask.data.set(alpha, top * width);
  }
  bench.checkpoint('encode');
  return bench.images.encode(mask, format);
}

/** The picture from top to bottom. */
async function* bands(bench: Workbench, source: PixelReader): AsyncGenerator<{ rows: Pixels; top: number }> {
  for (let top = 0; top < source.height; top += rowsAtATime) {
    bench.checkpoint('compose', top / source.height);
    yield { rows: await source.readRows(top, Math.min(rowsAtATime, source.height - top)), top };
  }
}

function withAlpha({ data, width, height, channels }: Pixels, alpha: Uint8Array): Pixels {
  const result = new Uint8Array(width * height * 4);
  for (let at = 0, from = 0, to = 0; at < alpha.length; at++, from += channels, to += 4) {
    result[to] = data[from] as number;
    result[to + 1] = data[from + 1] as number;
    result[to + 2] = data[from + 2] as number;
    result[to + 3] = alpha[at] as number;
  }
  return { data: result, width, height, channels: 4 };
}

/** What was transparent before stays so: multiplies the alpha of the picture into the last of the channels of the result. */
function keepTransparency(result: Uint8Array, channels: 1 | 4, before: Pixels): void {
  if (before.channels !== 4) return;
  for (let from = 3, to = channels - 1; to < result.length; from += 4, to += channels) {
    result[to] = Math.round(((result[to] as number) * (before.data[from] as number)) / 255);
  }
}
