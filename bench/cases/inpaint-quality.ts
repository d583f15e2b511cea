import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Pixels } from '#src/engine/media/media.js';
import { inpaint } from '#src/models/filling/inpainting.js';
import { loadModel } from '#src/models/load.js';
import { readLockfile } from '#src/models/lockfile.js';
import type { InpaintModel } from '#src/models/model.js';
import { lockfilePath } from '#src/models/files/weights.js';
import { type Case, figureOf, type Measured, type Measurement } from '../bench.js';
import { coverage, freeForm } from '../free-form.js';
import { harmonic } from '../harmonic.js';
import { missing, sharedFiles } from '../material.js';
import { readRgb } from '../pictures.js';
import { mean } from '../statistics.js';
import { telea } from '../telea.js';

const set = 'images/kodak';
const shares = [0.05, 0.1, 0.2, 0.4];
const seed = 20_261_122;

type Fill = (picture: Pixels, mask: Pixels) => Promise<Pixels>;

/** The bundled model, with or without what makes a result of it. */
function byModel(fill: (model: InpaintModel, ...args: Parameters<Fill>) => ReturnType<Fill>) {
  return async (): Promise<Measurement> => {
    const entry = readLockfile(lockfilePath).models.find(({ id }) => id === 'inpaint');
    if (!entry) throw new Error('No model inpaint in the lock file');
    const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-'));
    const loaded = await loadModel(entry, { folder, device: 'cpu', threads: availableParallelism() });
    if (loaded.task !== 'inpainting') throw new Error(`inpaint is for ${loaded.task}`);
    const { model } = loaded;
    const measured = await measure((picture, mask) => fill(model, picture, mask));
    await loaded.release();
    await rm(folder, { recursive: true });
    return measured;
  };
}

/** The whole way: window, network, texture. */
async function wholly(model: InpaintModel, picture: Pixels, mask: Pixels): Promise<Pixels> {
  const { data, width, height } = picture;
  const bands: Uint8Array[] = [];
  const readRows = async (top: number, rows: number): Promise<Pixels> => ({
    data: data.slice(3 * top * width, 3 * (top + rows) * width),
    width,
    height: rows,
    channels: 3,
  });
  await inpaint({ width, height, channels: 3, readRows, close: async () => {} }, mask, model, {
    write: async (rows) => void bands.push(rows.data),
    checkpoint: () => {},
  });
  return { ...picture, data: new Uint8Array(Buffer.concat(bands)) };
}

/** Mean over the pictures of the decibels in the hole, and how much of the truth's fine detail is there. */
async function measure(fill: Fill): Promise<Measurement> {
  const digest = createHash('sha256');
  const files = sharedFiles(set, '.png');
  const [qualities, details]: [number[], number[]] = [[], []];
  for (const [index, file] of files.entries()) {
    const truth = await readRgb(file);
    const mask = freeForm(truth, shares[index % shares.length] as number, seed + index);
    if (coverage(mask) > 0.55) throw new Error(`The mask of ${basename(file)} got out of hand`);
    digest.update(mask.data);
    // What is under the mask is not shown to anybody.
    const holed = { ...truth, data: truth.data.map((value, at) => (isMarked(mask, at) ? 0 : value)) };
    const made = await fill(holed, mask);
    checkOutside(made, { truth, mask, name: basename(file) });
    qualities.push(decibels(made, truth, mask));
    details.push(detailOf(made, mask) / detailOf(truth, mask));
  }
  const check = `${files.length} pictures, masks ${digest.digest('hex').slice(0, 16)}`;
  return { value: mean(qualities), check, more: { detail: mean(details) } };
}

function isMarked(mask: Pixels, sample: number): boolean {
  return mask.data[Math.floor(sample / 3)] !== 0;
}

function checkOutside(made: Pixels, { truth, mask, name }: { truth: Pixels; mask: Pixels; name: string }): void {
  if (made.data.length !== truth.data.length) throw new Error(`${name}: ${made.data.length} samples came back`);
  const at = truth.data.findIndex((value, sample) => !isMarked(mask, sample) && made.data[sample] !== value);
  if (at >= 0) throw new Error(`${name}: sample ${at} outside of the mask was changed`);
}

function decibels(made: Pixels, truth: Pixels, mask: Pixels): number {
  let [sum, count] = [0, 0];
  for (let at = 0; at < truth.data.length; at += 1) {
    if (!isMarked(mask, at)) continue;
    sum += ((made.data[at] as number) - (truth.data[at] as number)) ** 2;
    count += 1;
  }
  return 10 * Math.log10((255 ** 2 * count) / sum);
}

/** Mean step to the next pixel of the row, within the hole: what is left of it tells how blurred a fill is. */
function detailOf({ data }: Pixels, mask: Pixels): number {
  let [sum, count] = [0, 0];
  for (let at = 3; at < data.length; at += 1) {
    if (!isMarked(mask, at) || !isMarked(mask, at - 3)) continue;
    sum += Math.abs((data[at] as number) - (data[at - 3] as number));
    count += 1;
  }
  return sum / count;
}

function phrase(measured: Measured): string {
  const value = (variant: string) => measured.get(variant)?.[0]?.value.toFixed(2);
  const detail = (variant: string) => `${Math.round(100 * figureOf(measured, variant, 'detail'))} %`;
  return `PSNR in the hole on Kodak ${value('inpaint')} dB (harmonic ${value('harmonic')}, Telea ${value('telea')}), ${detail('inpaint')} of the true detail (${detail('harmonic')}, ${detail('telea')})`;
}

function beats(measured: Measured): boolean {
  const value = (variant: string) => measured.get(variant)?.[0]?.value ?? Number.NaN;
  return value('inpaint') > value('harmonic') && value('inpaint') >= value('telea') + 1;
}

export default {
  name: 'inpaint-quality',
  question:
    'PSNR in the hole under free-form masks over 5 to 40 % of the picture, by the bundled model with texture, by its network alone, and by fills without a model: mean of Kodak',
  unit: 'dB',
  variants: {
    inpaint: byModel(wholly),
    harmonic: () => measure(async (picture, mask) => harmonic(picture, mask)),
    telea: () => measure(async (picture, mask) => telea(picture, mask)),
    network: byModel((model, picture, mask) => model.fill(picture, mask)),
  },
  comparison: 'difference',
  rounds: 1,
  mustAgree: true,
  obstacle: () => missing(set),
  quality: (measured) => ({ inpaint: phrase(measured) }),
  target: { text: 'above a harmonic fill, and 1 dB above Telea', holds: (_, measured) => beats(measured) },
} satisfies Case;
