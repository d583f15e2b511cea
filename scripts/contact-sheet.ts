/**
 * Makes the picture of the README: photographs, their alpha mattes, the cut-outs on white, grey and red, and ready for
 * sale (cropped, on a canvas, with a backdrop and a shadow, in one call each); below, a detail enlarged four times by Lanczos and by the bundled model.
 * Usage: npm run contact-sheet -- PHOTO... --detail PICTURE --detail PICTURE   (writes scripts/contact-sheet.jpg)
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp, { type OverlayOptions } from 'sharp';

const tile = { width: 240, height: 300 };
const gap = 6;
const backgrounds = ['#ffffff', '#7f7f7f', '#d02030'];

/** One for each photograph in turn. */
const readyForSale = [
  ['--aspect', 'marketplace', '--shadow', 'soft'],
  ['--crop', '--aspect', '4:5', '--scale', '80%', '--backdrop', 'studio', '--shadow', 'drop'],
  [
    '--crop',
    '--aspect',
    '4:5',
    '--scale',
    '85%',
    '--backdrop',
    'gradient',
    '--bg-color-to',
    '#c9d6df',
    '--shadow',
    'soft',
  ],
  ['--crop', '--aspect', '4:5', '--scale', '80%', '--bg-color', '#f3d9c4', '--shadow', 'drop', '--shadow-angle', '150'],
];
const detail = 60;

const { values, positionals: photos } = parseArgs({
  allowPositionals: true,
  options: { detail: { type: 'string', multiple: true } },
});
if (photos.length === 0) {
  console.error('Usage: npm run contact-sheet -- PHOTO... --detail PICTURE');
  process.exit(2);
}
const work = mkdtempSync(join(tmpdir(), 'darkroom-sheet-'));
try {
  const rows: Buffer[][] = [];
  for (const [index, photo] of photos.entries()) {
    const options = readyForSale[index % readyForSale.length] ?? [];
    rows.push(await cutoutRow(photo, options));
  }
  rows.push(await enlargedRow(values.detail ?? photos));
  await saveSheet(rows);
} finally {
  rmSync(work, { recursive: true });
}

async function cutoutRow(photo: string, options: string[]): Promise<Buffer[]> {
  const cutout = darkroom(['cutout', photo], `${stem(photo)}.png`);
  const alpha = sharp(cutout).extractChannel(3).toColourspace('b-w').png().toBuffer();
  const composed = backgrounds.map((background) => sharp(cutout).flatten({ background }).png().toBuffer());
  const forSale = darkroom(['cutout', photo, ...options, '--quality', '95'], `${stem(photo)}-sale.jpg`);
  return Promise.all([photo, await alpha, ...(await Promise.all(composed)), forSale].map((picture) => toTile(picture)));
}

/** A detail of two pictures before, by Lanczos and by the model, side by side in pairs. */
async function enlargedRow(pictures: string[]): Promise<Buffer[]> {
  const cells: Buffer[] = [];
  for (const photo of pictures.slice(0, 2)) {
    const small = join(work, `${stem(photo)}-detail.png`);
    const { width = 0, height = 0 } = await sharp(photo).metadata();
    const size = { width: detail, height: Math.round((detail * tile.height) / tile.width) };
    const place = { left: Math.round(width * 0.4), top: Math.round(height * 0.35) };
    await sharp(photo)
      .extract({ ...place, ...size })
      .toFile(small);
    const enlarged = darkroom(['upscale', small, '--scale', '4'], `${stem(photo)}-large.png`);
    cells.push(
      await sharp(small)
        .resize({ ...tile, fit: 'fill', kernel: 'lanczos3' })
        .png()
        .toBuffer(),
      await toTile(enlarged),
    );
  }
  return cells;
}

async function saveSheet(rows: Buffer[][]): Promise<void> {
  const columns = Math.max(...rows.map((row) => row.length));
  const placed: OverlayOptions[] = rows.flatMap((row, y) =>
    row.map((input, x) => ({ input, left: x * (tile.width + gap), top: y * (tile.height + gap) })),
  );
  const size = { width: columns * (tile.width + gap) - gap, height: rows.length * (tile.height + gap) - gap };
  const sheet = sharp({ create: { ...size, channels: 3, background: '#f4f4f4' } }).composite(placed);
  await sheet.jpeg({ quality: 82 }).toFile('scripts/contact-sheet.jpg');
}

function darkroom(args: string[], name: string): string {
  const output = join(work, name);
  execFileSync(process.execPath, ['dist/cli.js', ...args, '-o', output], { stdio: 'inherit' });
  return output;
}

function toTile(picture: string | Buffer): Promise<Buffer> {
  return sharp(picture)
    .rotate()
    .resize({ ...tile, fit: 'contain', background: '#f4f4f4' })
    .png()
    .toBuffer();
}

function stem(path: string): string {
  return basename(path, extname(path));
}
