/**
 * Makes the pictures of known failures on the models' cards: what went in and what came out of each bundled model where it does
 * badly, with the truth where there is one. Needs ../shared.
 * Usage: npm run failure-sheets [-- MODEL...]   (writes src/models/bundled/<model>-failures.jpg)
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import sharp, { type Region, type Sharp } from 'sharp';

const tile = { width: 300, height: 240 };
const gap = 6;

const images = resolve('../shared/images');
const work = mkdtempSync(join(tmpdir(), 'darkroom-failures-'));

/** Rows of pictures, left to right: what went in, what came out, the truth if there is one. */
type Sheet = () => Promise<Sharp[][]>;

const sheets: Record<string, Sheet> = {
  cutout: async () => [
    ...(await Promise.all(['cc0/astronaut.png', 'cc0/coffee.png', 'clothing/dress-8c6b26f9.jpg'].map(cutOut))),
  ],
  'upscale-x2': async () => [
    await enlarged({ path: 'cc0/page.png', part: { left: 40, top: 60, width: 150, height: 120 }, factor: 2 }),
    await enlarged({
      path: 'gb82/city-lossless.png',
      part: { left: 240, top: 200, width: 150, height: 120 },
      factor: 2,
    }),
  ],
  'upscale-x4': async () => [
    await enlarged({ path: 'cc0/page.png', part: { left: 40, top: 60, width: 150, height: 120 }, factor: 4 }),
    await enlarged({
      path: 'gb82/city-lossless.png',
      part: { left: 240, top: 200, width: 150, height: 120 },
      factor: 4,
    }),
  ],
  'upscale-x4-real': async () => [
    await enlarged({
      path: 'cc0/chelsea.png',
      part: { left: 130, top: 40, width: 150, height: 120 },
      factor: 4,
      jpeg: 40,
    }),
    await enlarged({
      path: 'gb82/grass-lossless.png',
      part: { left: 200, top: 200, width: 150, height: 120 },
      factor: 4,
      jpeg: 25,
    }),
  ],
  restore: async () => [
    await denoised({ path: 'cc0/chelsea.png', part: { left: 130, top: 40, width: 150, height: 120 }, deviation: 50 }),
    await denoised({
      path: 'gb82/grass-lossless.png',
      part: { left: 200, top: 200, width: 150, height: 120 },
      deviation: 50,
    }),
  ],
  inpaint: async () => [
    await erased({ path: 'cc0/coffee.png', hole: { left: 250, top: 30, width: 130, height: 120 } }),
    await erased({ path: 'cc0/page.png', hole: { left: 120, top: 60, width: 90, height: 50 } }),
  ],
};

const { positionals } = parseArgs({ allowPositionals: true });
try {
  for (const model of positionals.length > 0 ? positionals : Object.keys(sheets)) {
    const sheet = sheets[model];
    if (!sheet) throw new Error(`Expected ${Object.keys(sheets).join(', ')}, got ${model}`);
    await save(await sheet(), `src/models/bundled/${model}-failures.jpg`);
  }
} finally {
  rmSync(work, { recursive: true });
}

async function cutOut(path: string): Promise<Sharp[]> {
  const made = darkroom('cutout', join(images, path), []);
  return [
    sharp(join(images, path)),
    sharp(made).flatten({ background: '#ffffff' }),
    sharp(made).flatten({ background: '#d02030' }),
  ];
}

interface Detail {
  path: string;
  part: Region;
}

/** A detail that is made smaller first, and so has a truth. */
async function enlarged({ path, part, factor, jpeg }: Detail & { factor: number; jpeg?: number }): Promise<Sharp[]> {
  const truth = await saved(sharp(join(images, path)).removeAlpha().extract(part), 'truth.png');
  const small = sharp(truth).resize({ width: Math.round(part.width / factor), kernel: 'cubic' });
  const sent = await (jpeg ? saved(small.jpeg({ quality: jpeg }), 'sent.jpg') : saved(small, 'sent.png'));
  const model = jpeg ? 'upscale-x4-real' : `upscale-x${factor}`;
  return [sharp(sent), sharp(darkroom('upscale', sent, ['--scale', String(factor), '--model', model])), sharp(truth)];
}

async function denoised({ path, part, deviation }: Detail & { deviation: number }): Promise<Sharp[]> {
  const truth = await saved(sharp(join(images, path)).removeAlpha().extract(part), 'truth.png');
  const sent = await saved(await noisy(truth, deviation), 'sent.png');
  return [sharp(sent), sharp(darkroom('restore', sent, ['--denoise', '1'])), sharp(truth)];
}

async function erased({ path, hole }: { path: string; hole: Region }): Promise<Sharp[]> {
  const source = join(images, path);
  const { width, height } = await sharp(source).metadata();
  const paint = (background: string) =>
    sharp({ create: { ...hole, channels: 3, background } })
      .png()
      .toBuffer();
  const at = { left: hole.left, top: hole.top };
  const black = sharp({ create: { width, height, channels: 3, background: 'black' } });
  const mask = await saved(black.composite([{ input: await paint('white'), ...at }]), 'mask.png');
  const sent = sharp(source).composite([{ input: await paint('#ff00ff'), ...at }]);
  return [
    sharp(await sent.png().toBuffer()),
    sharp(darkroom('edit', source, ['--mask', mask, '--mask-dilate', '0'])),
    sharp(source),
  ];
}

/** The same noise every time: normal by the sum of twelve, from a linear congruential generator (Numerical Recipes). */
async function noisy(path: string, deviation: number): Promise<Sharp> {
  const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
  let state = 1;
  const random = () => {
    state = (1_664_525 * state + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const normal = () => Array.from({ length: 12 }, random).reduce((sum, value) => sum + value, -6);
  const result = data.map((value) => Math.min(255, Math.max(0, Math.round(value + deviation * normal()))));
  return sharp(result, { raw: { width: info.width, height: info.height, channels: info.channels } });
}

async function saved(picture: Sharp, name: string): Promise<string> {
  const path = join(mkdtempSync(join(work, 'step-')), name);
  await picture.toFile(path);
  return path;
}

function darkroom(command: string, path: string, args: string[]): string {
  const output = join(mkdtempSync(join(work, 'step-')), 'made.png');
  execFileSync(process.execPath, ['dist/cli.js', command, path, ...args, '-o', output, '--quiet'], {
    stdio: 'inherit',
  });
  return output;
}

async function save(rows: Sharp[][], path: string): Promise<void> {
  const columns = Math.max(...rows.map((row) => row.length));
  const size = { width: columns * (tile.width + gap) - gap, height: rows.length * (tile.height + gap) - gap };
  const placed = await Promise.all(
    rows.flatMap((row, y) =>
      row.map(async (picture, x) => ({
        input: await picture
          .resize({ ...tile, fit: 'contain', background: '#f4f4f4', kernel: 'nearest' })
          .png()
          .toBuffer(),
        left: x * (tile.width + gap),
        top: y * (tile.height + gap),
      })),
    ),
  );
  const sheet = sharp({ create: { ...size, channels: 3, background: '#f4f4f4' } }).composite(placed);
  await sheet.jpeg({ quality: 66, mozjpeg: true }).toFile(path);
}
