import { inpaint } from '../../../models/filling/inpainting.js';
import { findScratches } from '../../../models/filling/scratches.js';
import type { Pixels, Size } from '../../media/media.js';
import { within } from '../picture-rows.js';
import type { Workbench } from '../workbench.js';

/** A picture without its scratches, how faint ones were looked for, and why. */
export interface Mended {
  path: string;
  amount: number;
  reason: string;
}

/** Scratches are looked for in a copy of at most this side: finer ones are grain. */
const lookedAt = 2048;

const usualStrength = 0.4;

/** With less there is nothing to mend; with more the picture is full of lines that belong there. */
const [least, most] = [0.0004, 0.015];

/** Finds thin long scratches and fills them; by `auto` only where what is found can be scratches. */
export async function mendScratches(bench: Workbench, path: string, strength: number | 'auto'): Promise<Mended> {
  if (strength === 0) return { path, amount: 0, reason: 'as asked' };
  const full = await bench.images.facts(path, 'image');
  const small = await bench.images.decode(path, { size: within(full, lookedAt), channels: 3 });
  const amount = strength === 'auto' ? usualStrength : strength;
  const found = findScratches(small, { strength: amount });
  const share = found.data.reduce((sum, value) => sum + (value === 0 ? 0 : 1), 0) / found.data.length;
  const reason = `thin lines on ${(100 * share).toFixed(2)} % of the picture`;
  const isUnlikely = strength === 'auto' && (share < least || share > most);
  if (share === 0 || isUnlikely) return { path, amount: 0, reason: `${reason}: no scratches` };
  if (!bench.has('inpainting'))
    return { path, amount: 0, reason: `${reason}, but no model that fills them is installed` };
  return { path: await fill(bench, path, enlarged(found, full)), amount, reason };
}

async function fill(bench: Workbench, path: string, mask: Pixels): Promise<string> {
  const model = await bench.model('inpainting');
  const source = await bench.images.open(path);
  try {
    const { width, height, channels } = source;
    const target = await bench.images.between().create({ width, height, channels });
    await inpaint(source, mask, model, {
      write: (rows) => target.write(rows),
      checkpoint: (fraction) => bench.checkpoint('infer', fraction),
    });
    return (await target.encode('png')).path;
  } finally {
    await source.close();
  }
}

/** The mask at the size of the picture, each mark as large as the pixel of the copy that it was found in. */
function enlarged(mask: Pixels, { width, height }: Size): Pixels {
  if (mask.width === width && mask.height === height) return mask;
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * mask.height) / height) * mask.width;
    for (let x = 0; x < width; x++)
      data[y * width + x] = mask.data[row + Math.floor((x * mask.width) / width)] as number;
  }
  return { data, width, height, channels: 1 };
}
