/**
 * Makes the picture of every move for the README: frames of clips that the operation video-generation made, in rows of
 * two clips with five frames each, in the order of `clips`.
 * Usage: npm run motion-sheet -- --place PHOTO --depth-photo PHOTO
 *   --product PHOTO [--depth TCMONODEPTH.onnx]   (writes scripts/motion-sheet.jpg)
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import sharp, { type OverlayOptions } from 'sharp';
import { createClipKit } from '#src/engine/media/clip.js';
import { ffmpegFinder } from '#src/engine/media/ffmpeg.js';
import { createImageKit } from '#src/engine/media/image.js';
import { parseParams } from '#src/engine/operations/index.js';
import { videoGeneration } from '#src/engine/operations/video-generation.js';
import type { Workbench } from '#src/engine/operations/workbench.js';
import { type LoadedModel, loadModel } from '#src/models/load.js';
import { type ModelEntry, readLockfile } from '#src/models/lockfile.js';
import type { ModelOfTask } from '#src/models/model.js';
import { lockfilePath } from '#src/models/files/weights.js';
import { turningCup } from './turning-cup.js';

const tile = { width: 148, height: 111 };
const gap = 3;
const columns = 5;

const { values } = parseArgs({
  options: {
    place: { type: 'string' },
    product: { type: 'string' },
    'depth-photo': { type: 'string' },
    depth: { type: 'string' },
  },
});
const { place, product, depth, 'depth-photo': deep } = values;
if (!place || !product || !deep) {
  console.error('Usage: motion-sheet --place PHOTO --depth-photo PHOTO --product PHOTO [--depth FILE]');
  process.exit(2);
}

interface Clip {
  inputs: Record<string, string[]>;
  params: Record<string, unknown>;
  hasDepth?: boolean;
}

const work = mkdtempSync(join(tmpdir(), 'darkroom-motion-'));
const findFfmpeg = ffmpegFinder(null);
try {
  const rows: Buffer[][] = [];
  for (const clip of await clips(place, product, deep)) rows.push(await framesOf(clip));
  await saveSheet(rows);
} finally {
  rmSync(work, { recursive: true });
}

async function clips(scene: string, thing: string, deepScene: string): Promise<Clip[]> {
  const viewsOf = async (count: number) =>
    (await turningCup(count, 480)).map((png, view) => {
      const path = join(work, `view-${view}-of-${count}.png`);
      writeFileSync(path, png);
      return path;
    });
  const of = (path: string, params: Record<string, unknown>): Clip => ({ inputs: { image: [path] }, params });
  const axes = [{ zoom: 6 }, { zoom: -6 }, { pan: 8 }, { tilt: 8 }, { truck: 8 }, { pedestal: 8 }, { roll: 8 }];
  const shots = { prompt: 'Wide shot, slow zoom in', multi_shot_prompts: ['Close-up, truck right', 'Pull back'] };
  return [
    ...axes.map((axis) => of(scene, axis)),
    of(scene, { prompt: 'The camera zooms in', loop: true }),
    { ...of(deepScene, { truck: 9 }), hasDepth: true },
    { ...of(deepScene, { prompt: 'fast orbit' }), hasDepth: true },
    of(thing, { prompt: 'A turntable of the product' }),
    of(thing, { scene: 'studio', zoom: 6 }),
    { inputs: { views: await viewsOf(24) }, params: { loop: true, zoom: 0 } },
    of(scene, { ...shots, transition: 'crossfade' }),
    { inputs: { views: await viewsOf(11) }, params: { loop: true, zoom: 0, scene: 'studio' } },
    { ...of(thing, { prompt: 'A turntable of the product', loop: true }), hasDepth: true },
  ];
}

/** Frames of a clip at even times, the first and the last among them. */
async function framesOf({ inputs, params, hasDepth = false }: Clip): Promise<Buffer[]> {
  const raw = { duration: 3, fps: 24, resolution: '480p', aspect_ratio: '4:3', ...params };
  const bench = await openBench(inputs, hasDepth);
  const { outputs, warnings } = await videoGeneration.perform(bench, parseParams(videoGeneration, raw).params);
  console.log(JSON.stringify(params), ...warnings);
  const folder = mkdtempSync(join(work, 'frames-'));
  const wanted = Array.from({ length: columns }, (_, index) => `eq(n,${Math.round((index * 71) / (columns - 1))})`);
  const { path } = await findFfmpeg();
  const filter = ['-vf', `select='${wanted.join('+')}'`, '-vsync', '0', join(folder, '%d.png')];
  execFileSync(path, ['-v', 'error', '-i', outputs[0]?.path ?? '', ...filter]);
  const files = readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
  return Promise.all(files.map((file) => sharp(file).resize(tile).png().toBuffer()));
}

async function openBench(inputs: Record<string, string[]>, hasDepth: boolean): Promise<Workbench> {
  const folder = mkdtempSync(join(work, 'clip-'));
  const loaded = new Map<string, LoadedModel>();
  const entries: Record<string, ModelEntry> = { 'background-removal': lockEntry('cutout') };
  if (hasDepth && depth !== undefined) entries['depth-estimation'] = depthEntry(depth);
  const models = depth === undefined ? folder : dirname(dirname(resolve(depth)));
  return {
    folder,
    input: (field) => inputs[field]?.[0] ?? '',
    inputs: (field) => inputs[field] ?? [],
    has: (slot) => entries[slot] !== undefined,
    images: createImageKit({ folder, limits: { maxBytes: 5e7, maxPixels: 5e7, maxSide: 30_000 } }),
    clips: createClipKit({ folder, findFfmpeg }),
    async model(task) {
      const entry = entries[task] as ModelEntry;
      const model = loaded.get(entry.id) ?? (await loadModel(entry, { folder: models, device: 'cpu', threads: 2 }));
      loaded.set(entry.id, model);
      return model.model as ModelOfTask[typeof task];
    },
    onCpu: async () => null,
    step: () => Promise.reject(new Error('No step is asked for')),
    checkpoint: () => {},
  };
}

function lockEntry(id: string): ModelEntry {
  const entry = readLockfile(lockfilePath).models.find((model) => model.id === id);
  if (!entry) throw new Error(`${id} is not in the lock file`);
  return entry;
}

/** TCMonoDepth's small network as it lies there: its folder stands in for the id, it takes samples of 0..255. */
function depthEntry(path: string): ModelEntry {
  const bytes = readFileSync(path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const scale = 1 / 255;
  return {
    ...lockEntry('depth-anything-v2-small'),
    id: basename(dirname(resolve(path))),
    files: [{ name: basename(path), url: null, bytes: bytes.length, sha256 }],
    inputs: [{ name: 'input', type: 'float32', shape: [1, 3, 192, 320] }],
    outputs: [{ name: 'output', type: 'float32', shape: [1, 1, 192, 320] }],
    constants: { size: [320, 192], mean: [0, 0, 0], std: [scale, scale, scale] },
  };
}

async function saveSheet(rows: Buffer[][]): Promise<void> {
  const width = 2 * (columns * (tile.width + gap) + 3 * gap);
  const height = Math.ceil(rows.length / 2) * (tile.height + 3 * gap);
  const placed: OverlayOptions[] = rows.flatMap((row, index) =>
    row.map((input, column) => ({
      input,
      left: (index % 2) * (width / 2) + column * (tile.width + gap) + (index % 2) * gap,
      top: Math.floor(index / 2) * (tile.height + 3 * gap),
    })),
  );
  const sheet = sharp({ create: { width, height, channels: 3, background: '#ffffff' } }).composite(placed);
  await sheet.jpeg({ quality: 80 }).toFile('scripts/motion-sheet.jpg');
}
