import { colourRows } from '../../../models/colour/colouring.js';
import type { Chroma, ColourModel, Face } from '../../../models/model.js';
import { applyCurves } from '../../../models/colour/tone-repair.js';
import { toEngineError } from '../../errors.js';
import type { Pixels } from '../../media/media.js';
import { type RowChange, restoreFaces } from '../faces/restore-faces.js';
import type { Outcome } from '../operation.js';
import { bands } from '../picture-rows.js';
import type { PixelReader, Workbench } from '../workbench.js';
import type { Plan } from './diagnosis.js';
import type { RestorationParams } from './params.js';
import { restoreTiles, type Tiles } from './restore-tiles.js';
import { unheeded } from './unheeded.js';

/** A picture, what is to be done to it, and the faces in it that are restored. */
export interface RepairJob {
  /** Of the picture that `source` reads. */
  path: string;
  source: PixelReader;
  plan: Plan;
  faces: readonly Face[];
  warnings: string[];
}

/** Does what was planned, in this order: damage, faces, colours, light. */
export async function repair(bench: Workbench, job: RepairJob, options: RestorationParams): Promise<Outcome> {
  const { source, plan } = job;
  const { width, height, channels } = source;
  const target = await bench.images.create({ width, height, channels, format: options.format });
  const isDamaged = Object.values(plan.damage).some((amount) => amount > 0);
  const model = isDamaged || options.model !== 'auto' ? await bench.model('image-restoration') : null;
  const tiles = model && isDamaged ? { source, model, damage: plan.damage, tta: options.tta } : null;
  // A face is cropped out of the whole picture, so the whole picture must be there.
  const clean = tiles && job.faces.length > 0 ? await restoredCopy(bench, tiles) : null;
  try {
    const change = await planChanges(bench, { ...job, source: clean ?? source });
    const write = async (rows: Pixels, top: number) => {
      change(rows, top);
      await target.write(rows);
    };
    if (tiles && !clean) await restoreTiles(bench, { ...tiles, write });
    else for await (const { rows, top } of bands(bench, clean ?? source)) await write(rows, top);
  } finally {
    await clean?.close();
  }
  bench.checkpoint('encode');
  const isFlattened = channels === 4 && options.format === 'jpg';
  return {
    outputs: [await target.encode(options.format)],
    warnings: [
      ...job.warnings,
      ...(model ? unheeded(model, plan.damage, options) : []),
      ...(isFlattened ? ['JPEG has no transparency: the picture was put on white'] : []),
    ],
    facts: { chosen: plan.chosen, input: { width, height }, output: { width, height } },
  };
}

/** What is done to rows once they have no damage any more. */
async function planChanges(bench: Workbench, job: RepairJob): Promise<RowChange> {
  const { source, faces, plan } = job;
  const { chosen, curves } = plan;
  const changes: RowChange[] = [];
  if (faces.length > 0) changes.push(await restoreFaces(bench, { source, faces, amount: chosen.faces?.amount ?? 0 }));
  const colours = chosen.colorize?.amount ?? 0;
  if (colours > 0) changes.push(await colouring(bench, job, colours));
  if (curves) changes.push((rows) => applyCurves(rows, curves));
  return (rows, top) => {
    for (const change of changes) change(rows, top);
  };
}

async function colouring(bench: Workbench, { path, source }: RepairJob, amount: number): Promise<RowChange> {
  bench.checkpoint('infer');
  const model = await bench.model('colorization');
  bench.checkpoint('decode');
  const small = await bench.images.decode(path, { size: model.size, channels: 3 });
  bench.checkpoint('infer');
  return colourRows(await predictColours(bench, model, small), source, amount);
}

/** On some devices what comes out is no number: then the CPU does it. */
async function predictColours(bench: Workbench, model: ColourModel, small: Pixels): Promise<Chroma> {
  try {
    return await model.predict(small);
  } catch (error) {
    const other = toEngineError(error).code === 'internal' ? await bench.onCpu('colorization') : null;
    if (!other) throw error;
    return other.predict(small);
  }
}

async function restoredCopy(bench: Workbench, tiles: Tiles): Promise<PixelReader> {
  const { width, height, channels } = tiles.source;
  const copy = await bench.images.create({ width, height, channels });
  await restoreTiles(bench, { ...tiles, write: (rows) => copy.write(rows) });
  return copy.read();
}
