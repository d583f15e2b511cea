import { z } from 'zod';
import { alphaOfRows } from '../../models/alpha-rows.js';
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
  syncPaths: ['background-removal', 'remove-background'],
  lane: 'device',
  task: 'background-removal',
  imageFields: ['image'],
  summary: 'Removes the background of a picture',
  params,
  async perform(bench, { only_mask, format }) {
    const findAlpha = await predict(bench);
    const source = await bench.images.open(bench.input('image'));
    try {
      const write = only_mask ? writeMask : writeCutout;
      const output = await write(bench, { source, findAlpha, format });
      return { outputs: [output], warnings: [], facts: { width: source.width, height: source.height } };
    } finally {
      await source.close();
    }
  },
};

/** Alpha 0..255 of rows of the picture. */
type FindAlpha = (rows: Pixels, top: number) => Uint8Array;

interface Cutout {
  source: PixelReader;
  findAlpha: FindAlpha;
  format: Params['format'];
}

// Few enough to stay in the cache of a core, enough to keep the disk out of it.
const rowsAtATime = 128;

/** Runs the network at its own size and fits what it says to the colours of the picture. */
async function predict(bench: Workbench): Promise<FindAlpha> {
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
  return alphaOfRows(fitAlpha(matte, guide), facts);
}

async function writeCutout(bench: Workbench, { source, findAlpha, format }: Cutout): Promise<OutputFile> {
  const target = await bench.images.create({ width: source.width, height: source.height, channels: 4 });
  for await (const { rows, alpha } of bands(bench, { source, findAlpha })) await target.write(withAlpha(rows, alpha));
  bench.checkpoint('encode');
  return target.encode(format);
}

async function writeMask(bench: Workbench, { source, findAlpha, format }: Cutout): Promise<OutputFile> {
  const { width, height } = source;
  const mask = { data: new Uint8Array(width * height), width, height, channels: 1 } as const;
  for await (const { top, alpha } of bands(bench, { source, findAlpha })) mask.data.set(alpha, top * width);
  bench.checkpoint('encode');
  return bench.images.encode(mask, format);
}

interface Band {
  rows: Pixels;
  top: number;
  alpha: Uint8Array;
}

/** The picture from top to bottom; an alpha channel that it had is multiplied in: what was transparent stays so. */
async function* bands(bench: Workbench, { source, findAlpha }: Omit<Cutout, 'format'>): AsyncGenerator<Band> {
  for (let top = 0; top < source.height; top += rowsAtATime) {
    bench.checkpoint('compose', top / source.height);
    const rows = await source.readRows(top, Math.min(rowsAtATime, source.height - top));
    const alpha = findAlpha(rows, top);
    if (rows.channels === 4) multiplyAlpha(alpha, rows);
    yield { rows, top, alpha };
  }
}

function multiplyAlpha(alpha: Uint8Array, { data }: Pixels): void {
  for (let at = 0; at < alpha.length; at++) {
    alpha[at] = Math.round(((alpha[at] as number) * (data[4 * at + 3] as number)) / 255);
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
